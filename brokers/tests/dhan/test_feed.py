"""Both sockets over a stand-in, and that no secret leaves in a log or an error."""

import asyncio
import json
import logging
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.dhan import feed as feed_module
from algo_brokers.errors import BrokerError, BrokerUnavailable, RequestRefused, SessionRefused, TooManyRequests
from algo_brokers.login import Credentials
from algo_brokers.records import FeedTick
from algo_brokers.totp import totp_code
from dhan_samples import AUTHENTICATOR, DISCONNECT, TICKER, UPDATE
from dhan_stand import CANARY, CLIENT, HDFC, HELD, KEY, NIFTY, ORDER, SECRET, Ear, Stand, answer, handler, refusing

TICK = FeedTick(HDFC.token, 16102500, (1_770_000_000 - 19_800) * 1000, 0)
LOGIN = {"LoginReq": {"MsgCode": 42, "ClientId": CLIENT, "Token": CANARY}, "UserType": "SELF"}


async def opened(stand: Stand) -> tuple[Any, ...]:
    ear = Ear()
    feed = await stand.broker.open_feed(listener=ear)
    await stand.until(3)
    assert stand.seen[0] == "GET /market-socket"
    assert stand.seen[1] == "GET /order-socket"
    assert json.loads(stand.seen[2]) == LOGIN
    market, orders = stand.sockets
    return feed, ear, market, orders


async def test_prices_and_orders(stand: Stand) -> None:
    feed, ear, market, orders = await opened(stand)
    feed.subscribe([HDFC.token, NIFTY.token])
    feed.subscribe([HDFC.token])  # asked for already
    feed.unsubscribe([NIFTY.token])
    await stand.until(5)
    assert [json.loads(text)["RequestCode"] for text in stand.seen[3:]] == [17, 18]
    await market.send_bytes(TICKER)
    assert await ear.until(2) == [[TICK], 1]
    await market.send_bytes(bytes.fromhex("0708000135050000"))
    await market.send_bytes(b"\x02")
    await market.send_str("hello")
    heard = await ear.until(7)
    assert heard[2] == 2
    assert heard[3].startswith("trouble: market frame ends")
    assert heard[5] == "trouble: text of 5 bytes on the market socket"
    frame = {"Data": UPDATE, "Type": "order_alert"}
    await orders.send_str(json.dumps(frame))
    await orders.send_str('{"Type":"other"}')
    await orders.send_bytes(json.dumps(frame).encode())
    await orders.send_str("{")
    heard = (await ear.until(14))[7:]
    assert (heard[0].filled, heard[0].read_at, heard[1], heard[2]) == (4, 77, "orders 1", "orders 2")
    assert (heard[3].broker_order_id, heard[4]) == (UPDATE["orderNo"], "orders 3")
    assert heard[5].startswith("trouble: the broker's order update cannot be read")
    assert heard[6] == "orders 4"
    await market.ping()
    await feed.close()
    assert (await ear.until(15))[-1].startswith("closed")


async def test_a_subscription_beyond_the_connection(stand: Stand) -> None:
    feed, ear, *_ = await opened(stand)
    feed.subscribe([1 << 32 | n for n in range(1, 5_003)])
    (trouble,) = await ear.until(1)
    assert trouble == "trouble: 2 instruments are without prices: one connection takes 5,000 of this broker's own"
    await stand.until(53)
    assert sum(json.loads(text)["InstrumentCount"] for text in stand.seen[3:]) == 5_000


async def test_the_end_of_one_socket_is_the_end_of_both(stand: Stand) -> None:
    _, ear, market, orders = await opened(stand)
    await orders.close(code=1000)
    assert (await ear.until(1)) == ["closed: closed by the broker with code 1000"]
    async with asyncio.timeout(5):
        while not market.closed:  # noqa: ASYNC110 - the server's side tells nobody
            await asyncio.sleep(0.01)
    # A second life of a moment only: the next handshake waits.
    again = await stand.broker.open_feed(listener=Ear())
    await again.close()
    with pytest.raises(TooManyRequests, match="again in 2 s"):
        await stand.broker.open_feed(listener=Ear())
    assert stand.seen.count("GET /market-socket") == 2


@pytest.mark.parametrize(
    ("code", "over", "text"),
    [(805, [], "too many"), (807, [1], "expired"), (809, [1], "invalid"), (806, [], "no data plan"), (899, [], "899")],
)
async def test_a_disconnect_packet(stand: Stand, code: int, over: list[int], text: str) -> None:
    _, ear, market, _ = await opened(stand)
    await market.send_bytes(DISCONNECT[:8] + code.to_bytes(2, "little"))
    heard = await ear.until(3)
    assert heard[0].startswith("trouble: the broker ends the market socket")
    assert text in heard[0]
    assert heard[1] == 1
    assert heard[2].startswith("closed")
    assert stand.over == over
    if code == 805:
        with pytest.raises(TooManyRequests, match="60 s"):
            await stand.broker.open_feed(listener=Ear())


async def test_handshakes_that_are_refused(stand: Stand) -> None:
    server, broker, _ = await refusing(stand, b"401 Unauthorized")
    with pytest.raises(SessionRefused):
        await broker.open_feed(listener=Ear())
    server.close()
    await server.wait_closed()
    with pytest.raises(BrokerUnavailable) as caught:
        await broker.open_feed(listener=Ear())
    assert CANARY not in str(caught.value)
    stand.session = None
    with pytest.raises(SessionRefused, match="log in first"):
        await stand.broker.open_feed(listener=Ear())


async def test_a_link_without_a_sign_of_life_is_given_up(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "SILENCE_S", 0.05)
    _, ear, *_ = await opened(stand)
    assert await ear.until(1) == ["closed: nothing heard for 0.05 s"]


async def test_no_secret_in_any_log_or_error(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []

    async def echo(request: web.Request) -> web.StreamResponse:
        sent = {name: value for name, value in request.headers.items() if name not in ("Host", "User-Agent")}
        message = f"no: {sent} {await request.text()} {request.query_string}"
        return web.json_response({"errorCode": "DH-905", "errorMessage": message}, status=400)

    stand.handler = echo
    texts.append(repr(await stand.broker.place(order=ORDER)))
    login = stand.broker.login
    assert login.begin is not None
    assert login.finish is not None
    assert login.direct is not None
    assert login.renew is not None
    keys = Credentials(client_id=CLIENT, api_key=KEY, api_secret=SECRET, pin="918273", totp_secret=AUTHENTICATOR)
    pasted = Credentials(client_id=CLIENT, access_token=CANARY)
    texts.append(repr(keys) + repr(pasted) + repr(HELD) + repr(stand.parts.endpoints))
    calls = (
        stand.broker.read_trades,
        stand.broker.read_holdings,
        partial(stand.broker.read_quotes, instruments=(HDFC,)),
        partial(login.begin, credentials=keys, state="s"),
        partial(login.finish, credentials=keys, callback={"tokenId": "canaryconsent44"}, now=0),
        partial(login.direct, credentials=keys, now=0),
        partial(login.direct, credentials=pasted, now=0),
        partial(login.renew, credentials=keys, session=HELD, now=0),
    )
    for call in calls:
        with pytest.raises(RequestRefused) as caught:
            await call()
        texts.append(repr(caught.value))
    stand.handler = handler(answer(200, {"status": "error", "message": "Invalid Pin 918273"}))
    with pytest.raises(BrokerError) as refused:
        await login.direct(credentials=keys, now=0)
    texts.append(repr(refused.value))
    feed, ear, market, _ = await opened_again(stand)
    await market.send_bytes(b"\x02")
    await ear.until(2)
    texts += [str(one) for one in ear.heard]
    await feed.close()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("aiohttp")]
    for canary in (CANARY, SECRET, KEY, "918273", AUTHENTICATOR, totp_code(AUTHENTICATOR, 0), "canaryconsent44"):
        assert not [text for text in texts + ours if canary in text]


async def opened_again(stand: Stand) -> tuple[Any, ...]:
    ear = Ear()
    before = len(stand.seen)
    feed = await stand.broker.open_feed(listener=ear)
    await stand.until(before + 3)
    return feed, ear, *stand.sockets
