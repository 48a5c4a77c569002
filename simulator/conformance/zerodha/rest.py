"""Drives the official SDK's REST client: one command a check, run in the SDK's own process. Prints one JSON object."""

import datetime
import json
import sys
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import requests
from kiteconnect import KiteConnect
from kiteconnect import exceptions as ex

ROOT, CHECK = sys.argv[1], sys.argv[2]


def login() -> KiteConnect:
    kite = KiteConnect(api_key="simkey0001", root=ROOT)
    kite._default_login_uri = f"{ROOT}/connect/login"
    answer = requests.get(kite.login_url(), allow_redirects=False, timeout=5)
    token = parse_qs(urlsplit(answer.headers["Location"]).query)["request_token"][0]
    data = kite.generate_session(token, api_secret="simsecret99")
    assert isinstance(data["login_time"], datetime.datetime), data
    assert kite.access_token == data["access_token"]
    return kite


def refused(call: Callable[[], object], kind: type[Exception], code: int, text: str = "") -> None:
    try:
        call()
    except kind as error:
        assert (error.code, text in str(error)) == (code, True), (error.code, str(error))
        return
    raise AssertionError(f"{kind.__name__} expected")


def place(kite: KiteConnect, **changes: object) -> str:
    order = {
        "variety": "regular",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "transaction_type": "BUY",
        "quantity": 10,
        "product": "MIS",
        "order_type": "LIMIT",
        "price": 1990.0,
        **changes,
    }
    return kite.place_order(**order)


def session() -> None:
    kite = login()
    assert kite.profile()["user_id"] == "SM0001"
    funds = kite.margins()
    assert funds["equity"]["net"] == kite.margins("equity")["net"] == 1_000_000
    assert kite.invalidate_access_token() is True
    refused(kite.profile, ex.TokenException, 403, "access_token")


def orders() -> None:
    kite = login()
    resting = place(kite, tag="rest1")
    row = kite.order_history(resting)[-1]
    assert (row["status"], row["tag"], row["price"], row["filled_quantity"]) == ("OPEN", "rest1", 1990.0, 0), row
    assert isinstance(row["order_timestamp"], datetime.datetime)
    assert kite.modify_order("regular", resting, price=1991.0, quantity=12) == resting
    chain = [r["status"] for r in kite.order_history(resting)]
    assert chain[-4:] == ["MODIFY VALIDATION PENDING", "MODIFY PENDING", "MODIFIED", "OPEN"], chain
    assert (kite.orders()[-1]["price"], kite.orders()[-1]["quantity"]) == (1991.0, 12)
    assert kite.cancel_order("regular", resting) == resting
    assert kite.orders()[-1]["status"] == "CANCELLED"
    refused(lambda: kite.cancel_order("regular", resting), ex.OrderException, 400, "cannot be cancelled")


def fills() -> None:
    kite = login()
    bought = place(kite, price=2010.0)
    row = kite.order_history(bought)[-1]
    assert (row["status"], row["average_price"]) == ("COMPLETE", 2000.0), row
    stop = place(kite, transaction_type="SELL", order_type="SL", price=1980.0, trigger_price=1985.0)
    assert kite.order_history(stop)[-1]["status"] == "TRIGGER PENDING"
    assert kite.positions()["net"][0]["quantity"] == 10
    kite.modify_order("regular", stop, order_type="LIMIT", price=1995.0)
    row = kite.order_history(stop)[-1]
    assert (row["status"], row["order_type"], row["average_price"]) == ("COMPLETE", "LIMIT", 2000.0), row
    trades = kite.trades()
    assert [t["quantity"] for t in trades] == [10, 10]
    assert isinstance(trades[0]["fill_timestamp"], datetime.datetime)
    assert kite.order_trades(bought)[0]["order_id"] == bought
    position = kite.positions()["day"][0]
    assert (position["quantity"], position["pnl"], position["product"]) == (0, 0, "MIS"), position
    assert kite.holdings() == []


def market() -> None:
    kite = login()
    quote = kite.quote("NSE:RELIANCE", "NSE:NOPE")
    assert list(quote) == ["NSE:RELIANCE"]
    assert quote["NSE:RELIANCE"]["last_price"] == 2000.0
    assert len(quote["NSE:RELIANCE"]["depth"]["buy"]) == 5
    assert quote["NSE:RELIANCE"]["upper_circuit_limit"] == 2200.0
    bars = kite.historical_data(738561, "2021-04-12 09:15:00", "2021-04-12 15:30:00", "minute")
    assert (bars[0]["open"], bars[0]["close"]) == (2000.0, 2000.0), bars
    assert bars[0]["date"].utcoffset() == datetime.timedelta(hours=5, minutes=30)
    listed = {row["tradingsymbol"]: row for row in kite.instruments("NSE")}
    assert listed["RELIANCE"]["instrument_token"] == 738561
    assert listed["RELIANCE"]["tick_size"] == 0.05
    assert listed["NIFTY 50"]["segment"] == "INDICES"
    assert len(kite.instruments()) == len(listed)
    margin = kite.order_margins(
        [
            {
                "exchange": "NSE",
                "tradingsymbol": "RELIANCE",
                "transaction_type": "BUY",
                "variety": "regular",
                "product": "MIS",
                "order_type": "LIMIT",
                "quantity": 10,
                "price": 2000,
            }
        ]
    )
    assert margin[0]["total"] == 4000


def quotes() -> None:
    kite = login()
    assert kite.ltp("NSE:RELIANCE")["NSE:RELIANCE"]["last_price"] == 2000.0


def ohlc() -> None:
    kite = login()
    assert kite.ohlc("NSE:RELIANCE")["NSE:RELIANCE"]["ohlc"]["close"] == 2000.0


def errors() -> None:
    kite = login()
    bad = KiteConnect(api_key="simkey0001", access_token="wrong", root=ROOT)
    refused(bad.orders, ex.TokenException, 403)
    refused(lambda: place(kite, quantity=0, price="x"), ex.InputException, 400)
    refused(lambda: place(kite, tradingsymbol="NOPE"), ex.InputException, 400, "does not exist")
    refused(lambda: place(kite, order_type="MARKET"), ex.InputException, 400, "market protection")
    refused(lambda: place(kite, tag="not ok!"), ex.InputException, 400, "tag")
    off_tick = place(kite, price=1990.01)
    row = kite.order_history(off_tick)[-1]
    assert row["status"] == "REJECTED" and "tick size" in row["status_message"], row
    rich = place(kite, quantity=5000)
    assert "Margin Exceeds" in kite.order_history(rich)[-1]["status_message_raw"]
    protected = place(kite, order_type="MARKET", market_protection=-1)
    assert kite.order_history(protected)[-1]["status"] == "COMPLETE"
    refused(kite.mf_holdings, ex.InputException, 400, "not simulated")


def limits() -> None:
    kite = login()
    for _ in range(30):
        try:
            kite.orders()
        except ex.NetworkException as error:
            assert error.code == 429 and "Too many requests" in str(error)
            return
    raise AssertionError("30 calls at once were all served")


CHECKS: dict[str, Callable[[], None]] = {
    check.__name__: check for check in (session, orders, fills, market, quotes, ohlc, errors, limits)
}
CHECKS[CHECK]()
print(json.dumps({"ok": True}))
