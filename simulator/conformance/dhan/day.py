"""Plays one scripted day with the official SDK, REST and sockets together. The market moves when this process asks."""

import json
import os
import threading
from typing import Any

from asking import done, refused, soon, until
from dhanhq import DhanContext, MarketFeed, dhanhq
from hosts import order_updates, report
from ways_in import CLIENT, tokens

RELIANCE, TCS, FUTURE, CALL, NIFTY = "2885", "11536", "64103", "44261", "13"
steps: list[str] = []


class Feeds:
    """Both sockets, each in its own thread."""

    def __init__(self, context: DhanContext) -> None:
        self.packets: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.up = threading.Event()
        wanted = [(1, RELIANCE, 15), (1, RELIANCE, 17), (1, RELIANCE, 21), (1, TCS, 17), (2, FUTURE, 17)]
        wanted += [(2, CALL, 21), (0, NIFTY, 15), (0, NIFTY, 21), (1, "999999", 15)]
        self.market = MarketFeed(
            context,
            wanted,
            "v2",
            on_connect=lambda _: self.up.set(),
            on_message=lambda _, packet: self.packets.append(packet),
        )
        self.market.start()
        self.updates = order_updates(context, lambda update: self.orders.append(update["Data"]))
        threading.Thread(target=self.updates.connect_to_dhan_websocket_sync, daemon=True).start()

    def told(self, order_id: str) -> list[str]:
        return [o["status"] for o in list(self.orders) if o["orderNo"] == order_id]

    def of(self, kind: str, segment: int, identity: str) -> list[dict[str, Any]]:
        return [
            p
            for p in list(self.packets)
            if isinstance(p, dict)
            and (p["type"], p["exchange_segment"], str(p["security_id"])) == (kind, segment, identity)
        ]


def instruments(dhan: dhanhq) -> None:
    rows = dhan.fetch_security_list("compact")
    share = rows[rows["SEM_TRADING_SYMBOL"] == "RELIANCE"].iloc[0]
    assert (share["SEM_SMST_SECURITY_ID"], share["SEM_TICK_SIZE"], share["SEM_SERIES"]) == (2885, 10.0, "EQ")
    future = rows[rows["SEM_SMST_SECURITY_ID"] == int(FUTURE)].iloc[0]
    assert (future["SEM_LOT_UNITS"], future["SEM_INSTRUMENT_NAME"]) == (75.0, "FUTIDX")
    assert future["SEM_EXPIRY_DATE"].startswith("2025-08-28")
    call = rows[rows["SEM_SMST_SECURITY_ID"] == int(CALL)].iloc[0]
    assert (call["SEM_STRIKE_PRICE"], call["SEM_OPTION_TYPE"], call["SEM_SEGMENT"]) == (24500.0, "CE", "D")
    detailed = dhan.fetch_security_list("detailed")
    assert len(detailed) == len(rows)
    found = detailed[detailed["SECURITY_ID"] == int(CALL)].iloc[0]
    assert (found["UNDERLYING_SECURITY_ID"], found["SM_EXPIRY_DATE"]) == (13, "2025-08-07"), found
    assert detailed[detailed["SECURITY_ID"] == 2885].iloc[0]["ISIN"] == "INE002A01018"


def quotes(dhan: dhanhq) -> None:
    wanted = {"NSE_EQ": [2885, 11536, 999999], "NSE_FNO": [64103], "IDX_I": [13]}
    last = done(dhan.ticker_data, dict(wanted))["data"]
    assert last["NSE_EQ"] == {RELIANCE: {"last_price": 1400.0}, TCS: {"last_price": 3000.0}}, last
    prices = done(dhan.ohlc_data, dict(wanted))["data"]["NSE_EQ"][RELIANCE]["ohlc"]
    assert prices == {"open": 1401.0, "close": 1390.0, "high": 1401.0, "low": 1400.0}, prices
    full = done(dhan.quote_data, dict(wanted))["data"]
    share = full["NSE_EQ"][RELIANCE]
    assert (share["net_change"], share["lower_circuit_limit"], share["upper_circuit_limit"]) == (10.0, 1251.0, 1529.0)
    assert [len(share["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert full["NSE_FNO"][FUTURE]["last_price"] == 24600.0
    assert full["IDX_I"][NIFTY]["volume"] >= 0
    assert done(dhan.expiry_list, 13, "IDX_I")["data"] == ["2025-08-07"]
    chain = done(dhan.option_chain, 13, "IDX_I", "2025-08-07")["data"]
    assert chain["oc"]["24500.000000"]["ce"]["security_id"] == int(CALL), chain


def candles(dhan: dhanhq) -> None:
    span = ("2025-08-01 09:00:00", "2025-08-01 15:30:00")
    for interval in (1, 5, 15, 25, 60):
        bars = done(dhan.intraday_minute_data, RELIANCE, dhan.NSE, "EQUITY", *span, interval)
        assert (bars["open"], bars["high"], bars["close"]) == ([1401.0], [1401.0], [1400.0]), bars
        assert dhan.convert_to_date_time(bars["timestamp"][0]).isoformat() == "2025-08-01T09:15:00+05:30"
    bars = done(dhan.historical_daily_data, RELIANCE, dhan.NSE, "EQUITY", "2025-08-01", "2025-08-02", oi=True)
    assert dhan.convert_to_date_time(bars["timestamp"][0]).isoformat() == "2025-08-01"
    assert bars["open_interest"] == [0.0]
    refused("DH-905", "days", dhan.intraday_minute_data, RELIANCE, dhan.NSE, "EQUITY", "2025-01-01", "2025-08-01")
    refused("DH-905", "interval", dhan.intraday_minute_data, RELIANCE, dhan.NSE, "EQUITY", *span, 7)
    refused("DH-907", "data", dhan.historical_daily_data, "1", dhan.NSE, "EQUITY", "2025-08-01", "2025-08-02")


def place(dhan: dhanhq, **changes: Any) -> str:
    order = {
        "security_id": RELIANCE,
        "exchange_segment": dhan.NSE,
        "transaction_type": dhan.BUY,
        "quantity": 10,
        "order_type": dhan.LIMIT,
        "product_type": dhan.INTRA,
        "price": 1395.0,
        **changes,
    }
    answer = done(dhan.place_order, **order)
    assert answer["orderStatus"] == "TRANSIT", answer
    return str(answer["orderId"])


def row_of(dhan: dhanhq, order_id: str) -> dict[str, Any]:
    rows = done(dhan.get_order_by_id, order_id)
    assert len(rows) == 1, rows
    return dict(rows[0])


def orders(dhan: dhanhq, feeds: Feeds) -> str:
    """Place, modify, cancel, buy, protect; returns the resting stop."""
    resting = place(dhan, tag="rest-1")
    assert row_of(dhan, resting)["orderStatus"] == "PENDING"
    answer = done(dhan.modify_order, resting, dhan.LIMIT, "", 20, 1396.0, 0, 0, dhan.DAY)
    assert answer["orderId"] == resting
    row = done(dhan.get_order_by_correlationID, "rest-1")[0]
    assert (row["price"], row["quantity"], row["remainingQuantity"]) == (1396.0, 20, 20), row
    assert done(dhan.cancel_order, resting) == {"orderId": resting, "orderStatus": "CANCELLED"}
    soon(lambda: feeds.told(resting)[-1:] == ["Cancelled"], f"{feeds.told(resting)}")
    assert feeds.told(resting)[:2] == ["Transit", "Pending"], feeds.told(resting)
    bought = place(dhan, price=1402.0, tag="entry")
    row = row_of(dhan, bought)
    assert (row["orderStatus"], row["averageTradedPrice"], row["filledQty"]) == ("TRADED", 1400.0, 10), row
    stop = place(dhan, transaction_type=dhan.SELL, order_type=dhan.SL, price=1380.0, trigger_price=1390.0, tag="stop")
    assert row_of(dhan, stop)["orderType"] == "STOP_LOSS"
    done(dhan.modify_order, stop, dhan.SL, "", 10, 1380.0, 1392.0, 0, dhan.DAY)
    assert row_of(dhan, stop)["triggerPrice"] == 1392.0
    assert [row["orderId"] for row in done(dhan.get_order_list)] == [resting, bought, stop]
    position = done(dhan.get_positions)[0]
    assert (position["netQty"], position["positionType"], position["productType"]) == (10, "LONG", "INTRADAY")
    lots = place(
        dhan, security_id=FUTURE, exchange_segment=dhan.FNO, product_type=dhan.MARGIN, quantity=75, price=24600
    )
    row = row_of(dhan, lots)
    assert (row["orderStatus"], row["productType"], row["drvExpiryDate"]) == ("REJECTED", "MARGIN", "2025-08-28"), row
    assert "FUND LIMIT" in row["omsErrorDescription"]
    return stop


def more_orders(dhan: dhanhq) -> None:
    """Market, immediate-or-cancel, slices, and what they leave in the books."""
    market = place(dhan, security_id=TCS, order_type=dhan.MARKET, price=0, quantity=1)
    row = row_of(dhan, market)
    assert (row["orderType"], row["orderStatus"], row["averageTradedPrice"]) == ("LIMIT", "TRADED", 3000.0), row
    ioc = place(dhan, validity=dhan.IOC, price=1300.0)
    assert row_of(dhan, ioc)["orderStatus"] == "CANCELLED"
    sliced = done(
        dhan.place_slice_order,
        FUTURE,
        dhan.FNO,
        dhan.BUY,
        1875,
        dhan.LIMIT,
        dhan.INTRA,
        24000.0,
    )
    assert len(sliced) == 2, sliced
    sold = place(dhan, security_id=TCS, transaction_type=dhan.SELL, quantity=1, price=2990.0)
    trades = done(dhan.get_trade_book)
    assert [t["tradedPrice"] for t in trades if t["orderId"] in (market, sold)] == [3000.0, 3000.0]
    assert done(dhan.get_trade_book, sold)[0]["transactionType"] == "SELL"
    assert len(done(dhan.get_trade_history, "2025-08-01", "2025-08-01", 0)) == len(trades)
    assert done(dhan.ledger_report, "2025-08-01", "2025-08-01")[0]["credit"] == "1000000.00"


def forever(dhan: dhanhq) -> str:
    """Forever orders: single, OCO, changed, cancelled; returns an OCO that will fire."""
    base = {"security_id": RELIANCE, "exchange_segment": dhan.NSE, "transaction_type": dhan.SELL}
    base |= {"product_type": dhan.CNC, "order_type": dhan.LIMIT, "quantity": 5}
    single = done(dhan.place_forever, **base, price=1349.0, trigger_Price=1350.0)["orderId"]
    oco = done(
        dhan.place_forever,
        **base,
        price=1369.0,
        trigger_Price=1370.0,
        order_flag="OCO",
        price1=1409.0,
        trigger_Price1=1410.0,
        quantity1=5,
        tag="lasting",
    )["orderId"]
    legs = {(row["orderId"], row["legName"]): row for row in done(dhan.get_forever)}
    assert set(legs) == {(single, "ENTRY_LEG"), (oco, "STOP_LOSS_LEG"), (oco, "TARGET_LEG")}
    assert {row["orderStatus"] for row in legs.values()} == {"CONFIRM"}
    done(dhan.modify_forever, single, "SINGLE", dhan.LIMIT, "ENTRY_LEG", 5, 1340.0, 1341.0, 0, dhan.DAY)
    changed = next(row for row in done(dhan.get_forever) if row["orderId"] == single)
    assert (changed["price"], changed["triggerPrice"]) == (1340.0, 1341.0), changed
    assert done(dhan.cancel_forever, single)["orderStatus"] == "CANCELLED"
    refused("DH-906", "", dhan.cancel_forever, single)
    refused("DH-906", "INTRADAY", dhan.place_forever, **{**base, "product_type": dhan.INTRA}, price=1, trigger_Price=2)
    return str(oco)


def money(dhan: dhanhq) -> None:
    funds = done(dhan.get_fund_limits)
    assert (funds["sodLimit"], funds["dhanClientId"]) == (1_000_000.0, CLIENT), funds
    margin = done(dhan.margin_calculator, RELIANCE, dhan.NSE, dhan.BUY, 10, dhan.INTRA, 1400.0)
    assert (margin["totalMargin"], margin["leverage"]) == (2800.0, "5X"), margin
    leg = {"exchangeSegment": dhan.NSE, "transactionType": dhan.BUY, "quantity": 10, "productType": dhan.CNC}
    many = done(dhan.margin_calculator_multi, [{**leg, "securityId": RELIANCE, "price": 1400.0, "triggerPrice": 0}])
    assert many["total_margin"] == "14000.00", many


def after_stop(dhan: dhanhq, feeds: Feeds, stop: str) -> None:
    row = row_of(dhan, stop)
    assert (row["orderStatus"], row["averageTradedPrice"]) == ("TRADED", 1391.0), row
    position = next(p for p in done(dhan.get_positions) if p["securityId"] == RELIANCE)
    assert (position["netQty"], position["positionType"], position["realizedProfit"]) == (0, "CLOSED", -90.0), position
    soon(lambda: feeds.told(stop)[-1:] == ["Traded"], "the stop's update")
    update = [o for o in feeds.orders if o["orderNo"] == stop][-1]
    assert (update["txnType"], update["tradedQty"], update["avgTradedPrice"]) == ("S", 10, 1391.0), update
    assert (update["orderType"], update["correlationId"], update["product"]) == ("SL", "stop", "I"), update


def after_forever(dhan: dhanhq, feeds: Feeds, fired: str) -> None:
    legs = {row["legName"]: row["orderStatus"] for row in done(dhan.get_forever) if row["orderId"] == fired}
    assert legs == {"STOP_LOSS_LEG": "CANCELLED", "TARGET_LEG": "TRADED"}, legs
    child = next(row for row in done(dhan.get_order_list) if row["productType"] == "CNC")
    soon(lambda: any(update["algoOrdNo"] == fired for update in list(feeds.orders)), "the update of what it sent")
    assert (child["orderStatus"], child["productType"], child["averageTradedPrice"]) == ("TRADED", "CNC", 1411.0), child
    holding = done(dhan.get_holdings)[0]
    assert (holding["dpQty"], holding["availableQty"], holding["isin"]) == (100, 95, "INE002A01018"), holding


def packets(feeds: Feeds) -> None:
    """Every mode of the live feed, as the SDK decodes it."""
    close = feeds.of("Previous Close", 1, RELIANCE)
    assert close[0]["prev_close"] == "1390.00", close
    ticker = feeds.of("Ticker Data", 1, RELIANCE)[-1]
    assert (ticker["LTP"], ticker["LTT"][:5]) == ("1411.00", "09:15"), ticker
    quote = feeds.of("Quote Data", 1, RELIANCE)[-1]
    assert (quote["open"], quote["high"], quote["low"], quote["close"]) == ("1401.00", "1411.00", "1391.00", "1390.00")
    assert quote["volume"] > 0
    full = feeds.of("Full Data", 1, RELIANCE)[-1]
    assert (full["LTP"], full["open"], full["close"], len(full["depth"])) == ("1411.00", "1401.00", "1390.00", 5), full
    assert full["depth"][0]["bid_price"] == "1410.90", full["depth"]
    assert feeds.of("Quote Data", 1, TCS)[-1]["LTP"] == "3000.00"
    assert feeds.of("OI Data", 2, FUTURE)[-1]["OI"] == 0
    assert feeds.of("Quote Data", 2, FUTURE)[-1]["LTP"] == "24600.00"
    assert feeds.of("Full Data", 2, CALL)[-1]["oi_day_high"] == 0
    index = feeds.of("Full Data", 0, NIFTY)[-1]
    assert (index["volume"], index["LTQ"], index["depth"][0]["bid_quantity"]) == (0, 0, 0), index
    assert feeds.of("Ticker Data", 0, NIFTY)[-1]["LTP"] == "24500.00"
    assert not feeds.of("Ticker Data", 1, "999999")
    assert feeds.packets.count("Markets Open") == 1


def resubscribed(feeds: Feeds) -> None:
    """Subscribing and unsubscribing while connected."""
    feeds.market.unsubscribe_symbols([(1, TCS, 17)])
    feeds.market.subscribe_symbols([(1, TCS, 15)])
    soon(lambda: bool(feeds.of("Ticker Data", 1, TCS)), "a ticker of the new mode")
    before = len(feeds.of("Quote Data", 1, TCS))
    until(45)
    soon(lambda: len(feeds.of("Ticker Data", 1, TCS)) > 3, "tickers")
    assert len(feeds.of("Quote Data", 1, TCS)) == before


def errors(dhan: dhanhq) -> None:
    def order(**changes: Any) -> dict[str, Any]:
        base = {"security_id": RELIANCE, "exchange_segment": dhan.NSE, "transaction_type": dhan.BUY, "quantity": 1}
        base |= {"order_type": dhan.LIMIT, "product_type": dhan.INTRA, "price": 1395.0}
        return dict(dhan.place_order(**{**base, **changes}))

    refused("DH-905", "securityId", order, security_id="999999")
    refused("DH-905", "correlationId", order, tag="x" * 26)
    refused("DH-905", "", order, price=0)
    refused("DH-906", "tick size", order, price=1395.07)
    refused("DH-906", "greater than Price", order, transaction_type="SELL", order_type=dhan.SL, trigger_price=1380.0)
    refused("DH-906", "Stop Loss Market", order, order_type=dhan.SLM, price=0, trigger_price=1500.0)
    refused("DH-906", "simulated", order, product_type=dhan.BO)
    refused("DH-905", "", dhan.get_order_by_id, "1")
    refused("DH-905", "", dhan.cancel_order, "1")
    refused("DH-910", "simulated", dhan.convert_position, dhan.INTRA, dhan.NSE, "LONG", RELIANCE, 1, dhan.CNC)
    refused("DH-910", "simulated", dhan.get_super_order_list)
    assert "DH-910" in dhan.generate_tpin()["remarks"]
    assert done(dhan.edis_inquiry, "ALL")["status"] == "SUCCESS"
    wrong = dhanhq(DhanContext(CLIENT, "wrong"))
    refused("DH-901", "invalid", wrong.get_order_list)
    codes = [order()["remarks"] for _ in range(25)]
    assert any(remarks and remarks["error_code"] == "DH-904" for remarks in codes), codes


def controls(dhan: dhanhq) -> None:
    """The trader's own brakes."""
    wanted = done(dhan.set_pnl_exit, 100_000, 100_000, ["INTRADAY", "DELIVERY"], True)
    assert wanted["pnlExitStatus"] == "ACTIVE"
    assert done(dhan.get_pnl_exit)["profit"] == "100000.00"
    assert done(dhan.stop_pnl_exit)["pnlExitStatus"] == "DISABLED"
    refused("DH-906", "positions", dhan.kill_switch, "activate")
    assert done(dhan.exit_all_positions)["status"] == "SUCCESS"
    live = [row for row in done(dhan.get_order_list) if row["orderStatus"] == "PENDING"]
    assert not live, live
    assert done(dhan.status_kill_switch)["killSwitchStatus"] == "DEACTIVATE"


def main() -> None:
    until(-30)
    token = tokens()
    steps.append("login")
    context = DhanContext(CLIENT, token)
    dhan = dhanhq(context)
    feeds = Feeds(context)
    assert feeds.up.wait(10)
    refused("DH-906", "Market is Closed", dhan.place_order, RELIANCE, "NSE_EQ", "BUY", 1, "LIMIT", "CNC", 1395.0)
    until(5)
    for step in (instruments, quotes, candles):
        step(dhan)
        steps.append(step.__name__)
    stop = orders(dhan, feeds)
    more_orders(dhan)
    steps.append("orders")
    fired = forever(dhan)
    steps.append("forever")
    money(dhan)
    steps.append("money")
    until(21)
    after_stop(dhan, feeds, stop)
    steps.append("stop")
    until(31)
    after_forever(dhan, feeds, fired)
    steps.append("holdings")
    soon(lambda: bool(feeds.of("Ticker Data", 1, RELIANCE)), "ticks")
    packets(feeds)
    resubscribed(feeds)
    steps.append("ticks")
    errors(dhan)
    steps.append("errors")
    controls(dhan)
    steps.append("controls")
    feeds.market.close_connection()
    print(json.dumps({"ok": True, "steps": steps}), file=report)
    os._exit(0)  # The SDK's threads never end.


main()
