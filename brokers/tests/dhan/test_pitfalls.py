"""What others have stumbled over at this broker: one test for each, numbered as in the notes on the API."""

import json
import struct
from typing import Any

import httpx
import pytest
from aiohttp import web
from algo_brokers.dhan import (
    ENDPOINTS,
    FACTS,
    answers,
    feed,
    forever,
    limits,
    requests,
    responses,
    session,
    stream,
    updates,
)
from algo_brokers.dhan.names import TYPE, Words, pack
from algo_brokers.errors import RequestRefused, SessionRefused, TooManyRequests
from algo_brokers.http import HttpAnswer
from algo_brokers.login import Credentials
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_brokers.records import Change, NewTrigger, TriggerLeg
from algo_brokers.transports import create_client
from algo_crds.contracts.orders import OrderStatus, OrderType, Product, RejectKind, Side
from dhan_samples import HEADER, PROFILE, SHARE, TICKER, UPDATE
from dhan_stand import (
    CLIENT,
    HDFC,
    HELD,
    OPTION,
    ORDER,
    TAG,
    Ear,
    Stand,
    answer,
    error,
    handler,
    instrument,
    order,
    order_ref,
    refusing,
    words,
)
from order_samples import new_order

GOOD = answer(200, {"orderId": "17", "orderStatus": "TRANSIT"})


async def test_pitfall_01_a_dead_token_is_dh_906_too(stand: Stand) -> None:
    stand.handler = handler(error(400, "DH-906", "Invalid Token"))
    with pytest.raises(SessionRefused):
        await stand.broker.read_positions()
    outcome = await stand.broker.cancel(order=order_ref("17"))
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.session_over, stand.over) == (RejectKind.SESSION, True, [1, 1])


async def test_pitfall_02_a_token_made_elsewhere_ends_this_session(stand: Stand) -> None:
    stand.handler = handler(error(401, "DH-901", "Client ID or user generated access token is invalid or expired."))
    with pytest.raises(SessionRefused, match="a login elsewhere ends this session"):
        await stand.broker.read_funds()
    assert stand.over == [1]
    assert "ends at once when another is made" in stand.broker.login.lives


def test_pitfall_03_the_sandbox_is_never_spoken_to_and_its_orders_are_no_stops() -> None:
    assert not [one for one in (ENDPOINTS.rest, ENDPOINTS.auth, ENDPOINTS.market_socket) if "sandbox" in one]
    (row,) = responses.order_rows(
        json.dumps([order(orderType="STOP_LOSS", exchangeOrderId="0")]).encode(), Words(), read_at=1
    )
    assert (row.status, row.exchange_order_id) == (OrderStatus.PENDING, None)
    short = {name: value for name, value in PROFILE.items() if name not in ("mtf", "dataValidity")}
    told = session.pasted_session(
        answer(200, short), credentials=Credentials(client_id=CLIENT, access_token="t"), now=1
    )
    assert told.valid_until > 0


async def test_pitfall_04_one_order_as_object_list_of_one_or_empty_list(stand: Stand) -> None:
    for body, count in ((order(), 1), ([order()], 1)):
        stand.handler = handler(answer(200, body))
        assert len(await stand.broker.read_order(broker_order_id="312611234433", begun_at=1)) == count
        assert len(await stand.broker.read_by_tag(tag=TAG, begun_at=1)) == count
    stand.handler = handler(answer(200, []))
    assert await stand.broker.read_order(broker_order_id="312611234433", begun_at=1) == ()


@pytest.mark.parametrize("tag", ["", "x" * 26, "x" * 30, "a b", "a.b", "ä"])
def test_pitfall_05_a_correlation_id_has_at_most_25_plain_characters(tag: str) -> None:
    with pytest.raises(ValueError, match="1 to 25"):
        requests.place(HELD, new_order(instrument=HDFC, tag=tag))
    legs = (TriggerLeg(trigger=1, price=1, quantity=1),)
    lasting = NewTrigger(
        instrument=HDFC, side=Side.SELL, product=Product.DELIVERY, legs=legs, last_price=1, tag=tag or "."
    )
    with pytest.raises(ValueError, match="1 to 25"):
        forever.place(HELD, lasting)
    assert json.loads(requests.place(HELD, new_order(instrument=HDFC, tag="x" * 25)).body)["correlationId"] == "x" * 25


def test_pitfall_06_no_market_order_and_no_super_order_is_ever_sent() -> None:
    assert set(TYPE) == set(OrderType)
    assert set(TYPE.values()) == {"LIMIT", "STOP_LOSS"}
    for kind in OrderType:
        request = requests.place(HELD, new_order(instrument=HDFC, type=kind, trigger=28600000))
        assert request.target == "/v2/orders"
        assert json.loads(request.body)["price"] == 2870.0


def test_pitfall_07_a_stop_is_a_stop_limit_never_a_stop_market() -> None:
    stop = new_order(instrument=HDFC, type=OrderType.STOP_LIMIT, side=Side.SELL, price=15900000, trigger=16000000)
    sent = json.loads(requests.place(HELD, stop).body)
    assert (sent["orderType"], sent["price"], sent["triggerPrice"]) == ("STOP_LOSS", 1590.0, 1600.0)
    # A stop that the broker turned into a limit order shows it: the row is then no stop.
    (row,) = responses.order_rows(json.dumps([order(orderType="LIMIT", triggerPrice=0)]).encode(), Words(), read_at=1)
    assert (row.type, row.trigger) == (OrderType.LIMIT, 0)


def test_pitfall_08_keys_of_order_frames_in_either_case() -> None:
    pascal = {key[:1].upper() + key[1:]: value for key, value in UPDATE.items()}
    frames = [{"Data": data, "Type": "order_alert"} for data in (UPDATE, pascal, {**pascal, **UPDATE})]
    rows = [updates.read(json.dumps(frame).encode(), Words(), read_at=1) for frame in frames]
    assert rows[0] is not None
    assert rows[0] == rows[1] == rows[2]


def test_pitfall_09_the_last_trade_s_time_is_india_s_clock_written_as_utc() -> None:
    ((tick,), _) = stream.decode(TICKER, lambda token: 0)
    assert tick.time == (1_770_000_000 - 19_800) * 1000
    early = struct.pack("<BHBIfI", 2, 16, 1, 1333, 1610.25, 0)
    assert stream.decode(early, lambda token: 0)[0][0].time == 0


async def test_pitfall_10_tick_sizes_are_in_paise(stand: Stand) -> None:
    stand.handler = handler(HttpAnswer(200, "text/csv", f"{HEADER}\n{SHARE}".encode()))
    (reliance,) = await stand.broker.read_instruments(exchange="NSE")
    assert reliance.tick_size == 1000  # "10.0000" is ten paise
    assert words(instrument(tick_size=500)).tick_of(HDFC.token) == 500
    assert words().tick_of(HDFC.token) == 0


def test_pitfall_11_a_security_id_is_unique_only_within_its_segment() -> None:
    tokens = {pack(segment, 13) for segment in ("IDX_I", "NSE_EQ", "NSE_FNO", "BSE_EQ")}
    assert len(tokens) == 4
    known = words(instrument(symbol="NIFTY 50", token=13, kind="INDEX"), instrument(symbol="OTHER", token=1 << 32 | 13))
    assert known.key_of("NSE_EQ", "13", "?") == ("NSE", "OTHER")


async def test_pitfall_12_http_1_1_and_a_redirected_write_is_not_followed(stand: Stand) -> None:
    async def redirect(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMovedPermanently("/v2/elsewhere")

    stand.handler = redirect
    assert stand.broker.triggers is not None
    legs = (TriggerLeg(trigger=1, price=1, quantity=1),)
    lasting = NewTrigger(instrument=HDFC, side=Side.SELL, product=Product.DELIVERY, legs=legs, last_price=1)
    assert isinstance(await stand.broker.place(order=ORDER), Unknown)
    assert isinstance(await stand.broker.triggers.place(trigger=lasting), Unknown)
    assert stand.seen == ["POST /v2/orders", "POST /v2/forever/orders"]
    client = create_client()
    transport = client._transport
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    assert transport._pool._http2 is False
    await client.aclose()


async def test_pitfall_13_a_handshake_refused_for_haste_is_followed_by_a_minute_of_quiet(stand: Stand) -> None:
    server, broker, asked = await refusing(stand, b"429 Too Many Requests")
    with pytest.raises(TooManyRequests, match="too many connections"):
        await broker.open_feed(listener=Ear())
    for _ in range(3):
        with pytest.raises(TooManyRequests, match="again in 60 s"):
            await broker.open_feed(listener=Ear())
    assert len(asked) == 1
    server.close()


async def test_pitfall_14_a_silent_feed_is_seen(stand: Stand) -> None:
    """A link without a ping is given up; a token or data plan that brings no prices is found at login or told by a
    packet. A symbol that falls silent on a living link is polled by whoever counts its prices."""
    assert 30 <= feed.SILENCE_S <= 60
    with pytest.raises(RequestRefused, match="data plan"):
        session.pasted_session(
            answer(200, PROFILE | {"dataPlan": "Deactive"}), credentials=Credentials(client_id=CLIENT), now=1
        )
    ear = Ear()
    await stand.broker.open_feed(listener=ear)
    await stand.until(3)
    await stand.sockets[0].send_bytes(struct.pack("<BHBIH", 50, 10, 0, 0, 806))
    assert "no data plan" in (await ear.until(1))[0]


def test_pitfall_15_a_wrong_dh_905_on_a_stop_refuses_the_order_not_the_session() -> None:
    outcome = answers.write_outcome(error(400, "DH-905", "Missing required fields, bad values for parameters etc."))
    assert outcome == Rejected(
        kind=RejectKind.ORDER_OTHER,
        message="Missing required fields, bad values for parameters etc. (DH-905)",
        session_over=False,
    )


def test_pitfall_16_keys_of_the_margin_of_several_orders() -> None:
    request = requests.margin(HELD, (ORDER, new_order(instrument=OPTION)))
    sent = json.loads(request.body)
    assert request.target == "/v2/margincalculator/multi"
    assert set(sent) == {"includePosition", "includeOrder", "scripList", "dhanClientId"}
    assert [row["exchangeSegment"] for row in sent["scripList"]] == ["NSE_EQ", "NSE_FNO"]
    assert responses.margin(b'{"total_margin":"5.50"}').required == 55000


def test_pitfall_17_limits_of_the_day_are_those_of_the_table() -> None:
    windows = limits.windows()
    assert {window.length_ms: window.limit for window in windows.writes} == {
        1_100: 8,
        61_000: 250,
        3_601_000: 1_000,
        86_400_000: 7_000,
    }
    assert [window.limit for window in windows.reads["historical"]] == [5, 100_000]
    assert [window.limit for window in windows.reads["quote"]] == [1]
    assert [window.limit for window in windows.reads["other"]] == [20]
    assert windows.shared == {"ltp": "quote"}  # one family, one call a second
    assert limits.windows(50).writes[0].limit == 10  # never more than the broker's own


@pytest.mark.parametrize("text", ["Invalid IP", "Ihre IP ist unbekannt", "quantity price token"])
def test_pitfall_18_codes_decide_not_texts(text: str) -> None:
    outcome = answers.write_outcome(error(400, "DH-911", text))
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.ADDRESS
    assert isinstance(answers.write_outcome(error(400, "DH-908", text)), Unknown)


async def test_pitfall_19_the_book_lags_so_an_empty_look_up_is_no_proof(stand: Stand) -> None:
    assert FACTS.capability.visibility_delay_ms >= 1_000
    stand.handler = handler(GOOD)
    assert await stand.broker.place(order=ORDER) == Accepted(broker_order_id="17")
    stand.handler = handler(answer(200, []), answer(200, [order(orderId="17")]))
    (row,) = await stand.broker.read_by_tag(tag=TAG, begun_at=1)
    assert row.broker_order_id == "17"
    assert stand.seen[1:] == [f"GET /v2/orders/external/{TAG}", "GET /v2/orders"]


def test_pitfall_20_a_changed_quantity_is_the_total() -> None:
    assert FACTS.capability.modify_quantity_is_total
    change = Change(order=order_ref("17"), type=OrderType.LIMIT, quantity=7, price=10000)
    sent: Any = json.loads(requests.modify(HELD, change).body)
    assert sent["quantity"] == 7
    (row,) = responses.order_rows(json.dumps([order(quantity=7, filledQty=3)]).encode(), Words(), read_at=1)
    assert (row.quantity, row.filled) == (7, 3)
