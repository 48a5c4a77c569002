"""Each pitfall of this broker that is known, by its number in the broker's sheet; 19 and on are ours."""

import asyncio
import json
from datetime import date
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.angelone import (
    adapter,
    amounts,
    envelope,
    instruments,
    limits,
    order_rows,
    prices,
    requests,
    responses,
    second_try,
    stream,
)
from algo_brokers.angelone.capability import CAPABILITY
from algo_brokers.angelone.names import Names, pack
from algo_brokers.errors import BadAnswer, BrokerUnavailable, SessionRefused
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.records import Change, FeedTick, InstrumentRef, Interval
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Product, RejectKind, Side
from angelone_samples import (
    AT,
    CALL,
    EMPTY,
    PAGE,
    QUOTE,
    RATE,
    RELIANCE,
    TAG,
    application_error,
    gateway_error,
    held,
    line,
    name_of,
    option,
    order,
    raw,
    success,
)
from angelone_stand import ORDER, Ear, Stand, ok, refused
from order_samples import new_order, order_ref

BOOK = "GET /rest/secure/angelbroking/order/v1/getOrderBook"


def _answers(stand: Stand, *answers: web.Response) -> None:
    left = list(answers)

    async def handle(request: web.Request) -> web.StreamResponse:
        return left.pop(0)

    stand.handler = handle


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second try of a read without its second of waiting."""
    real = second_try.create_second_try
    monkeypatch.setattr(adapter, "create_second_try", lambda send: real(send, wait_s=0.0))


async def _rebuilt(stand: Stand) -> Any:
    return adapter.create_broker(stand.parts)


async def test_pitfall_01_invalid_token_at_random(stand: Stand, at_once: None) -> None:
    broker = await _rebuilt(stand)
    _answers(stand, refused("AG8001", "Invalid Token"), ok([order()]))
    assert len(await broker.read_book(begun_at=0)) == 1
    assert stand.seen == [BOOK, BOOK]
    assert stand.over == []


async def test_pitfall_01_twice_is_believed_and_ends_the_session_once(stand: Stand, at_once: None) -> None:
    broker = await _rebuilt(stand)
    _answers(stand, refused("AG8001", "Invalid Token"), refused("AG8001", "Invalid Token", status=401))
    with pytest.raises(SessionRefused):
        await broker.read_book(begun_at=0)
    assert (stand.seen, stand.over) == ([BOOK, BOOK], [1])


async def test_pitfall_01_an_order_is_never_tried_again(stand: Stand) -> None:
    _answers(stand, refused("AG8001", "Invalid Token"))
    outcome = await stand.broker.place(order=ORDER)
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.session_over) == (RejectKind.SESSION, False)
    assert (len(stand.seen), stand.over) == (1, [])


@pytest.mark.parametrize("token", ["j.w.t", "Bearer j.w.t", "Bearer Bearer j.w.t", " bearer  j.w.t "])
def test_pitfall_01_the_word_bearer_goes_out_once(token: str) -> None:
    assert dict(requests.headers(api_key="k", token=token))["Authorization"] == "Bearer j.w.t"


def test_pitfall_02_a_403_is_the_rate_limit_as_text_and_session_or_address_as_json() -> None:
    kinds = []
    for answer in (
        RATE,
        gateway_error("AG8002", "Token Expired", status=403),
        gateway_error("AG7002", "Access denied: Unregistered IP address.", status=403),
    ):
        outcome = envelope.change_outcome(answer)
        assert isinstance(outcome, Rejected)
        kinds.append(outcome.kind)
    assert kinds == [RejectKind.RATE, RejectKind.SESSION, RejectKind.ADDRESS]


async def test_pitfall_03_success_is_no_state_the_order_is_confirmed_by_its_details(stand: Stand) -> None:
    _answers(
        stand,
        ok({"orderid": "17", "uniqueorderid": "u-17"}),
        ok(order(orderid="17", status="rejected", text="Insufficient funds")),
    )
    assert await stand.broker.place(order=ORDER) == Accepted(broker_order_id="17")
    (row,) = await stand.broker.read_order(broker_order_id="17", begun_at=0)
    assert (row.status, row.reject_kind) == (OrderStatus.REJECTED, RejectKind.MARGIN)
    assert stand.seen[1].endswith("/order/v1/details/u-17")


async def test_pitfall_04_empty_books_are_null_or_not_found(stand: Stand) -> None:
    for read, code in (
        (lambda: stand.broker.read_book(begun_at=0), "AB1013"),
        (stand.broker.read_trades, "AB1014"),
        (stand.broker.read_holdings, "AB1015"),
        (stand.broker.read_positions, "AB1016"),
    ):
        _answers(stand, ok(None), refused(code, "not found"))
        assert await read() == ()
        assert await read() == ()


def test_pitfall_05_the_same_field_is_text_or_number() -> None:
    as_text = order(price="2870.50", quantity="5", filledshares="2", symboltoken="2885", averageprice="2870.5")
    as_number = order(price=2870.5, quantity=5, filledshares=2, symboltoken=2885, averageprice=2870.5)
    first, second = (
        order_rows.order_rows(raw([row]), read_at=0, name_of=name_of).rows[0] for row in (as_text, as_number)
    )
    assert first == second
    assert amounts.price_of("- 123.45") == -1234500


def test_pitfall_06_the_book_is_allowed_once_a_second_and_one_order_ten_times() -> None:
    windows = limits.windows()
    assert [(window.length_ms, window.limit) for window in windows.reads["book"]] == [(1_100, 1)]
    assert [(window.length_ms, window.limit) for window in windows.reads["order"]] == [
        (1_100, 10),
        (61_000, 500),
        (3_600_000, 5_000),
    ]
    assert [(window.length_ms, window.limit) for window in windows.writes] == [
        (1_100, 8),
        (61_000, 500),
        (3_600_000, 1_000),
    ]
    assert limits.windows(20).writes[0].limit == 9


async def test_pitfall_07_tags_are_short_and_found_in_the_book_twice_if_they_were_sent_twice(stand: Stand) -> None:
    assert len(TAG) == 16
    requests.place(held(), new_order(instrument=RELIANCE, tag="a" * 19))
    with pytest.raises(ValueError):
        requests.place(held(), new_order(instrument=RELIANCE, tag="a" * 20))
    _answers(stand, ok([order(), order(orderid="2"), order(orderid="3", ordertag="another")]))
    assert len(await stand.broker.read_by_tag(tag=TAG, begun_at=0)) == 2
    assert not CAPABILITY.read_by_tag


async def test_pitfall_08_repeats_and_late_packets_are_dropped_and_volume_is_the_days(stand: Stand) -> None:
    ear = Ear()
    await stand.broker.open_feed(listener=ear)
    await stand.until(2)
    packet = bytes.fromhex(QUOTE)
    late = bytearray(packet)
    late[27] -= 1
    (market, _) = stand.sockets
    for payload in (packet, packet, bytes(late)):
        await market.send_bytes(payload)
    assert await ear.until(4) == [[FeedTick(pack(1, 2885), 28754000, AT, 1834500)], 1, 2, 3]


async def test_pitfall_09_a_new_connection_knows_no_subscription_and_takes_all_again(stand: Stand) -> None:
    for _ in range(2):
        ear = Ear()
        feed = await stand.broker.open_feed(listener=ear)
        feed.subscribe([RELIANCE.token])
        await stand.until(len(stand.seen) + 1)
        await feed.close()
    asked = [json.loads(text) for text in stand.seen if text.startswith("{")]
    assert [message["action"] for message in asked] == [1, 1]
    assert asked[0] == asked[1]


@pytest.mark.parametrize(("kind", "raw_price", "price"), [(1, 287540, 28754000), (13, 855_425_000, 855_425)])
def test_pitfall_10_paise_and_ten_millionths_and_never_a_float(kind: int, raw_price: int, price: int) -> None:
    scaled = stream.scaled(raw_price, kind)
    assert scaled == price
    assert isinstance(scaled, int)


def test_pitfall_11_a_token_means_another_contract_on_another_day() -> None:
    names = Names()
    names.learn(instruments.parse(raw([option()]), "NFO", today=date(2026, 3, 2)), now=AT)
    assert names.name_of("NFO", "48212", "NIFTY26MAR2625000CE") == "NIFTY26MAR25000CE"
    again = option(symbol="NIFTY30APR2624000PE", expiry="30APR2026", strike="2400000.000000")
    names.learn(
        instruments.parse(raw([again]), "NFO", today=date(2026, 3, 27)),
        now=AT + 25 * 86_400_000,
    )
    assert names.name_of("NFO", "48212", "NIFTY30APR2624000PE") == "NIFTY26APR24000PE"
    assert names.resolve(InstrumentRef(exchange="NFO", symbol="NIFTY26MAR25000CE")) is None


def test_pitfall_11_a_list_is_checked_for_lines_and_for_the_day() -> None:
    for lines, exchange in (([], "NSE"), ([line()], "NFO"), ([option(expiry="26FEB2026")], "NFO")):
        with pytest.raises(BadAnswer):
            instruments.parse(raw(lines), exchange, today=date(2026, 3, 2))


def test_pitfall_12_overnight_products_are_named_by_the_segment() -> None:
    words = [
        json.loads(requests.place(held(), new_order(instrument=one, product=Product.DELIVERY)).body)["producttype"]
        for one in (RELIANCE, CALL)
    ]
    assert words == ["DELIVERY", "CARRYFORWARD"]
    row = order(status="rejected", text="Intraday orders are blocked for this scrip")
    (found,) = order_rows.order_rows(raw([row]), read_at=0, name_of=name_of).rows
    assert (found.reject_kind, found.message) == (RejectKind.PRODUCT, row["text"])


def test_pitfall_13_an_after_market_order_is_sent_and_cancelled_as_normal() -> None:
    assert json.loads(requests.place(held(), ORDER).body)["variety"] == "NORMAL"
    row = order(variety="AMO", status="after market order req received")
    (found,) = order_rows.order_rows(raw([row]), read_at=0, name_of=name_of).rows
    assert found.status is OrderStatus.PENDING
    ref = order_ref(found.broker_order_id, instrument=RELIANCE, leg=Leg.ENTRY)
    assert json.loads(requests.cancel(held(), ref).body)["variety"] == "NORMAL"
    refused_now = envelope.change_outcome(application_error("AB1007", "Cancel Order Response : Bad Input"))
    assert isinstance(refused_now, Rejected)
    assert refused_now.kind is RejectKind.NOT_MODIFIABLE


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Order price is beyond the Limit Price Protection range defined by the exchange. ...", RejectKind.BAND),
        (
            "Difference between limit price and trigger price for SL Limit Order is beyond the exchange's "
            "Permissible range of <3%>.",
            RejectKind.GAP,
        ),
        ("Trigger price for a stop sell must be lower than LTP", RejectKind.THROUGH),
    ],
)
def test_pitfall_14_trigger_rules_and_price_protection(text: str, kind: RejectKind) -> None:
    outcome = envelope.place_outcome(application_error("AB1007", text))
    assert isinstance(outcome, Rejected)
    assert outcome.kind is kind
    row = order(status="rejected", text=text)
    assert order_rows.order_rows(raw([row]), read_at=0, name_of=name_of).rows[0].reject_kind is kind
    assert 0 < CAPABILITY.max_trigger_gap_bp <= 500


def test_pitfall_14_a_limit_before_its_trigger_is_not_sent() -> None:
    for side, price in ((Side.SELL, 101), (Side.BUY, 99)):
        with pytest.raises(ValueError):
            requests.place(
                held(),
                new_order(instrument=RELIANCE, side=side, type=OrderType.STOP_LIMIT, price=price, trigger=100),
            )


def test_pitfall_15_bars_come_in_parts_without_the_running_one_and_with_holes() -> None:
    month = 30 * 86_400_000
    assert len(prices.ranges(AT - 2 * month - 60_000, AT, Interval.MINUTE, now=AT)) == 3
    bars = raw([[f"2026-03-02T10:{minute}:00+05:30", 1, 1, 1, 1, 1] for minute in (41, 44, 45)])
    found = prices.candles(bars, start=0, end=AT, interval=Interval.MINUTE, now=AT)
    assert [(AT - bar.time) // 60_000 for bar in found] == [4, 1]
    assert {(window.length_ms, window.limit) for window in limits.READS["historical"]} >= {(1_100, 3)}


async def test_pitfall_16_the_socket_gets_both_tokens(stand: Stand) -> None:
    await stand.broker.open_feed(listener=Ear())
    async with asyncio.timeout(5):
        while len(stand.handshakes) < 2:  # noqa: ASYNC110 - the server tells no event of this kind
            await asyncio.sleep(0)
    for sent in stand.handshakes:
        assert sent["x-feed-token"] == "canaryfeed43"
        assert sent["authorization"].removeprefix("Bearer ") == "canary.token42.x"


def test_pitfall_17_a_firewall_page_is_unavailable_for_reads_and_unknown_for_orders() -> None:
    assert isinstance(envelope.place_outcome(PAGE), Unknown)
    assert isinstance(envelope.change_outcome(PAGE), Unknown)
    with pytest.raises(BrokerUnavailable, match="firewall"):
        envelope.read_data(PAGE)


def test_pitfall_18_an_empty_400_is_unknown_for_orders() -> None:
    assert envelope.place_outcome(EMPTY) == Unknown(reason="HTTP 400 with an empty answer")
    with pytest.raises(BrokerUnavailable):
        envelope.read_data(EMPTY)


def test_pitfall_19_the_rate_limits_text_on_a_new_order_means_look_into_the_book() -> None:
    assert isinstance(envelope.place_outcome(RATE), Unknown)


def test_pitfall_20_no_market_and_no_immediate_order_can_leave() -> None:
    for kind, trigger in ((OrderType.LIMIT, 0), (OrderType.STOP_LIMIT, 28700000)):
        placed = json.loads(requests.place(held(), new_order(instrument=RELIANCE, type=kind, trigger=trigger)).body)
        change = Change(order=order_ref("1"), type=kind, quantity=1, price=1, trigger=trigger)
        changed = json.loads(requests.modify(held(), change, RELIANCE).body)
        for sent in (placed, changed):
            assert (sent["duration"], sent["ordertype"]) == ("DAY", "LIMIT" if not trigger else "STOPLOSS_LIMIT")


def test_pitfall_21_trades_have_no_date_and_no_token() -> None:
    row = {
        "exchange": "NSE",
        "producttype": "INTRADAY",
        "tradingsymbol": "RELIANCE-EQ",
        "transactiontype": "BUY",
        "fillprice": "1",
        "fillsize": "1",
        "orderid": "1",
        "fillid": "1",
        "filltime": "10:45:07",
    }
    (found,) = responses.trade_rows(raw([row]), day=date(2026, 3, 2), name_of=name_of)
    assert (found.time, found.symbol) == (AT, "RELIANCE")


def test_pitfall_22_quotes_that_were_not_fetched_are_missing_though_the_envelope_says_success() -> None:
    data = {"fetched": [], "unfetched": [{"exchange": "NSE", "symbolToken": "2885", "errorCode": "AB4018"}]}
    assert prices.quotes(envelope.read_data(success(data)), prices.wanted((RELIANCE,))) == ()
