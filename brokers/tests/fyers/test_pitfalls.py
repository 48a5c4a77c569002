"""Each pitfall of the broker's fact sheet, by its number there. Those of the official SDK are about what it must do
for its users; here they are about our doing it."""

import asyncio
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from aiohttp import web
from algo_brokers.errors import BadAnswer, BrokerUnavailable, SessionRefused
from algo_brokers.fyers import feed, gtt, hsm_frames, limits, order_stream, prices, requests, responses, session, topics
from algo_brokers.fyers.capability import CAPABILITY, FACTS
from algo_brokers.fyers.envelope import read_body, write_outcome
from algo_brokers.outcomes import Rejected, Unknown
from algo_brokers.records import InstrumentRef, Interval, NewTrigger, TriggerLeg, TriggerStatus
from algo_brokers.registry import adapter_of
from algo_crds.contracts.constants import SHELL
from algo_crds.contracts.orders import OrderStatus, Product, RejectKind, Side
from broker_stand import open_stand
from fyers_stand import (
    BOOK_ROW,
    GTT_ROW,
    HELD,
    KEY,
    ORDER,
    SBIN,
    SOCKET_ROW,
    Ear,
    Stand,
    body,
    error,
    jwt,
    ok,
    open_ready,
    serve_no_files,
)

PAIR = NewTrigger(
    instrument=SBIN,
    side=Side.SELL,
    product=Product.DELIVERY,
    legs=(
        TriggerLeg(trigger=560_0000, price=559_0000, quantity=10),
        TriggerLeg(trigger=640_0000, price=639_0000, quantity=10),
    ),
    last_price=600_0000,
)


async def test_pitfall_01_no_authorization_header_on_the_market_socket(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await open_ready(stand, Ear())
    assert "authorization" not in stand.handshakes[0]
    await opened.close()
    monkeypatch.setattr(feed, "READY_S", 0.2)
    opening = asyncio.create_task(stand.broker.open_feed(listener=Ear()))
    with pytest.raises(BrokerUnavailable, match="did not answer the login"):
        await opening  # the silence is an error, not an open feed


async def test_pitfall_02_a_socket_that_stalls_is_given_up(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    assert feed.SILENCE_S == 90.0
    assert order_stream.SILENCE_S > 2 * order_stream.PING_EVERY_S
    monkeypatch.setattr(feed, "SILENCE_S", 0.05)
    ear = Ear()
    await open_ready(stand, ear)
    await ear.until(3)
    assert ear.heard[2] == "closed: nothing heard for 0.05 s"


async def test_pitfall_03_a_new_connection_starts_without_subscriptions(stand: Stand) -> None:
    asked = str(hsm_frames.subscribe(["sf|nse_cm|3045"])[0])
    for _ in range(2):
        opened = await open_ready(stand, Ear())
        before = len(stand.seen)
        assert asked not in stand.seen[before - 6 :]
        opened.subscribe([SBIN.token])
        await stand.until(before + 1)
        assert stand.seen[before] == asked
        await opened.close()


async def test_pitfall_04_nothing_is_left_open_by_a_failed_opening(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "READY_S", 0.05)
    stand.handler = serve_no_files
    for _ in range(5):
        with pytest.raises(BrokerUnavailable):
            await stand.broker.open_feed(listener=Ear())
    async with asyncio.timeout(5):
        while not all(socket.closed for socket in stand.sockets):  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
    assert len(stand.sockets) == 10


@pytest.mark.parametrize("size", [9, 10, 11, 12])
def test_pitfall_05_any_length_of_app_id_and_header_will_do(size: int) -> None:
    app = "A" * (size - 4) + "-100"
    token = jwt(exp=1795400000, hsm_key=KEY)
    header = "e30" + "x" * (size % 4)
    odd = ".".join([header, *token.split(".")[1:]])
    assert session.session_of_token(odd, client_id="X", app_id=app, now=0).feed_token == KEY


async def test_pitfall_06_two_accounts_in_one_process() -> None:
    other = msgspec.structs.replace(HELD, client_id="XS00002", feed_token="canaryother")
    adapter = adapter_of("fyers")
    async with open_stand(adapter, HELD) as first, open_stand(adapter, other) as second:
        one, two = await open_ready(first, Ear()), await open_ready(second, Ear())
        one.subscribe([SBIN.token])
        await first.until(7)
        assert str(hsm_frames.auth(KEY)) in first.seen
        assert str(hsm_frames.auth("canaryother")) in second.seen
        assert len(second.seen) == 6
        await one.close()
        await two.close()


async def test_pitfall_07_one_order_is_asked_for_by_its_id_and_a_failure_is_an_error(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.query.get("id") == "2":
            return ok(orderBook=[BOOK_ROW, {**BOOK_ROW, "id": "2"}])
        return ok(message="no orders")

    stand.handler = handle
    (row,) = await stand.broker.read_order(broker_order_id="2", begun_at=0)
    assert row.broker_order_id == "2"
    with pytest.raises(BadAnswer):
        await stand.broker.read_order(broker_order_id="1", begun_at=0)


def test_pitfall_08_triggers_lie_under_order_book_and_unknown_ones_are_live() -> None:
    statuses = {number: gtt.rows(body(orderBook=[{**GTT_ROW, "ord_status": number}]))[0] for number in (1, 2, 6, 7, 99)}
    assert statuses[1].status is TriggerStatus.CANCELLED
    assert statuses[2].status is TriggerStatus.TRIGGERED
    assert statuses[6].status is TriggerStatus.ACTIVE
    for number in (7, 99):
        assert (statuses[number].status, statuses[number].message) == (
            TriggerStatus.ACTIVE,
            f"unknown status {number}",
        )
    with pytest.raises(BadAnswer):
        gtt.rows(body(gttOrders=[GTT_ROW]))


@pytest.mark.parametrize("side", list(Side))
def test_pitfall_09_the_upper_leg_is_the_first_whatever_its_role(side: Side) -> None:
    sent = msgspec.json.decode(gtt.place(HELD, msgspec.structs.replace(PAIR, side=side)).body)["orderInfo"]
    assert (sent["leg1"]["triggerPrice"], sent["leg2"]["triggerPrice"]) == (640.0, 560.0)
    (row,) = gtt.rows(body(orderBook=[GTT_ROW]))
    assert [leg.trigger for leg in row.legs] == [560_0000, 641_0000]


async def test_pitfall_10_a_change_of_a_pair_always_has_both_legs(stand: Stand) -> None:
    bodies: list[Any] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return ok(orderBook=[GTT_ROW])
        bodies.append(await request.json())
        return ok(code=1102, id=GTT_ROW["id"])

    stand.handler = handle
    assert stand.broker.triggers is not None
    await stand.broker.triggers.modify(trigger_id=GTT_ROW["id"], trigger=PAIR)
    assert set(bodies[0]["orderInfo"]) == {"leg1", "leg2"}
    single = msgspec.structs.replace(PAIR, legs=PAIR.legs[:1])
    refused = await stand.broker.triggers.modify(trigger_id=GTT_ROW["id"], trigger=single)
    assert isinstance(refused, Rejected)
    assert refused.kind is RejectKind.NOT_MODIFIABLE
    assert len(bodies) == 1


def test_pitfall_11_the_tag_comes_back_with_a_prefix_and_is_alphanumeric() -> None:
    (row,) = responses.order_rows(body(orderBook=[BOOK_ROW]), read_at=0)
    assert row.tag == ORDER.tag
    assert requests.by_tag(HELD, ORDER.tag).target.endswith(f"?order_tag=1%3A{ORDER.tag}")
    with pytest.raises(ValueError, match="letters and digits"):
        requests.place(HELD, msgspec.structs.replace(ORDER, tag="a-b"))


def test_pitfall_12_the_data_host_says_it_in_another_order_and_with_another_code() -> None:
    raw = b'{"message":"Please provide valid token","code":-15,"s":"error"}'
    answer = msgspec.structs.replace(error(-15), body=raw)
    with pytest.raises(SessionRefused):
        read_body(answer)
    with pytest.raises(SessionRefused):
        read_body(error(-16, "Could not authenticate the user"))


@pytest.mark.parametrize(
    ("text", "kind"), [("invalid app id", RejectKind.SESSION), ("no position to exit", RejectKind.QUANTITY)]
)
def test_pitfall_13_code_352_has_two_meanings(text: str, kind: RejectKind) -> None:
    outcome = write_outcome(error(-352, text))
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.session_over) == (kind, False)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("word", ["ok", "error"])
def test_pitfall_14_code_201_is_neither_success_nor_refusal(status: int, word: str) -> None:
    answer = error(201, "request sent", status)
    body_ = msgspec.json.encode({"s": word, "code": 201, "message": "request sent", "id": "1"})
    assert isinstance(write_outcome(msgspec.structs.replace(answer, body=body_)), Unknown)


def test_pitfall_15_an_ampersand_in_a_symbol_is_encoded() -> None:
    share = InstrumentRef(exchange="NSE", symbol="M&M", broker_symbol="NSE:M&M-EQ")
    other = InstrumentRef(exchange="NSE", symbol="ARE&M", broker_symbol="NSE:ARE&M-EQ")
    target = prices.quotes_request(HELD, (share, other)).target
    assert target == "/data/quotes?symbols=NSE%3AM%26M-EQ%2CNSE%3AARE%26M-EQ"
    assert parse_qs(urlsplit(prices.depth_request(HELD, share).target).query)["symbol"] == ["NSE:M&M-EQ"]
    history = prices.history_request(HELD, share, start=0, end=1, interval=Interval.MINUTE)
    assert parse_qs(urlsplit(history.target).query)["symbol"] == ["NSE:M&M-EQ"]


def test_pitfall_16_odd_spellings_of_depth_do_not_matter() -> None:
    depth = {"bids": [], "ask": [], "tick_Size": 0.05, "ltp": 1.5, "lower_ckt": 1, "upper_ckt": 2, "c": 1.25}
    for spelled in (depth, {**depth, "asks": [], "tickSize": 1}):
        quote = prices.depth_quote(body(d={"NSE:SBIN-EQ": spelled}), SBIN)
        assert quote is not None
        assert (quote.price, quote.band_low, quote.band_high) == (15000, 10000, 20000)


def test_pitfall_17_the_running_bar_is_left_out() -> None:
    bars = [[60 * minute, 1, 1, 1, 1, 1] for minute in range(3)]
    seen = prices.candles(body(candles=bars), start=0, end=10**9, interval=Interval.MINUTE, now=150_000)
    assert [bar.time for bar in seen] == [0, 60_000]
    # whether the end is included at the broker does not matter
    inner = prices.candles(body(candles=bars), start=60_000, end=60_000, interval=Interval.MINUTE, now=10**9)
    assert [bar.time for bar in inner] == [60_000]


def test_pitfall_18_an_index_is_named_as_the_exchange_names_it() -> None:
    token = 101000000026000
    assert topics.index_topic(token, "NSE:NIFTY50-INDEX", {}) == "if|nse_cm|Nifty 50"
    assert topics.index_topic(token, "NSE:NIFTY50-INDEX", {"NSE:NIFTY50-INDEX": "N50"}) == "if|nse_cm|N50"
    assert topics.index_topic(token, "NSE:NEWINDEX-INDEX", {}) == "if|nse_cm|NEWINDEX"
    assert topics.index_topic(121000000000001, "BSE:SENSEX-INDEX", {}) == "if|bse_cm|SENSEX"
    assert topics.index_names(b'{"NSE:NIFTY50-INDEX":"Nifty 50"}') == {"NSE:NIFTY50-INDEX": "Nifty 50"}


def test_pitfall_19_all_windows_together_stay_below_the_minutes_limit() -> None:
    for windows in (limits.windows(), limits.windows(orders_per_window=100)):
        (reads,) = windows.reads.values()  # one group: the broker counts all endpoints together
        for length, most in ((SHELL.order_window_ms, 10), (61_000, 200), (86_400_000, 100_000)):
            both = [window.limit for window in (*windows.writes, *reads) if window.length_ms == length]
            assert len(both) == 2
            assert sum(both) <= most
    refused = write_outcome(error(-429, "request limit reached, blocked for the day", 429))
    assert isinstance(refused, Rejected)
    assert refused.kind is RejectKind.RATE


def test_pitfall_20_closed_positions_stay_and_only_the_net_quantity_has_a_sign() -> None:
    base = {"symbol": "NSE:SBIN-EQ", "exchange": 10, "segment": 10, "netAvg": 600.1}
    rows = responses.position_rows(
        body(
            netPositions=[
                {**base, "productType": "INTRADAY", "side": -1, "netQty": -10, "qty": 10},
                {**base, "productType": "CNC", "side": 0, "netQty": 0, "qty": 0},
            ]
        )
    )
    assert [(row.product, row.quantity) for row in rows] == [(Product.INTRADAY, -10), (Product.DELIVERY, 0)]


def test_pitfall_21_yesterdays_purchase_may_not_be_sold_as_settled() -> None:
    base = {"exchange": 10, "segment": 10, "symbol": "NSE:SBIN-EQ", "isin": "I", "costPrice": 1}
    fresh = {**base, "holdingType": "T1", "quantity": 5, "remainingQuantity": 5, "qty_t1": 5}
    old = {**base, "holdingType": "HLD", "quantity": 10, "remainingQuantity": 7, "qty_t1": 5}
    (row,) = responses.holding_rows(body(holdings=[fresh, old]))
    assert (row.quantity, row.unsettled) == (7, 5)


def test_pitfall_22_the_brokers_own_status_code_is_not_read() -> None:
    for own in (20, 90, 2):
        frame = msgspec.json.encode({"orders": {**SOCKET_ROW, "ord_status": own, "org_ord_status": 6}, "s": "ok"})
        update = order_stream.decode(frame, read_at=0)
        assert isinstance(update, order_stream.OrderUpdate)
        assert update.row is not None
        assert update.row.status is OrderStatus.OPEN
    without = {name: value for name, value in SOCKET_ROW.items() if name != "org_ord_status"}
    with pytest.raises(BadAnswer):
        order_stream.decode(msgspec.json.encode({"orders": without}), read_at=0)


def test_pitfall_23_what_a_trigger_sent_on_another_day_is_not_in_the_book() -> None:
    (row,) = gtt.rows(body(orderBook=[{**GTT_ROW, "ord_status": 2}]))
    assert (row.status, row.order_ids) == (TriggerStatus.TRIGGERED, ())  # the row says neither leg nor order
    assert FACTS.triggers is not None
    assert "does not say which leg" in FACTS.triggers.note


def test_pitfall_24_the_official_package_is_not_needed() -> None:
    assert CAPABILITY.broker == "fyers"
    assert not any(name.startswith("fyers_apiv3") for name in sys.modules)
