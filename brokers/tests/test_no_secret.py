"""A canary string appears nowhere: not in an error, an outcome, a text form, a log or what a feed tells, at any broker.

The stand-in server echoes whatever it was sent, and the session's own secrets, in every shape a broker answers in.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.errors import BrokerError
from algo_brokers.login import Credentials
from algo_brokers.port import Broker
from algo_brokers.records import Change, Interval, NewTrigger, TriggerLeg
from algo_brokers.session import secrets_of
from algo_brokers.socket import StreamSpec
from algo_brokers.totp import totp_code
from algo_crds.contracts.orders import OrderType, Product, Side
from broker_stand import Ear
from every_broker import BROKERS, HELD, ORDER, REFUSE, answering, pointed_at, ready, stand_of
from order_samples import order_ref

PIN = "918273"
TOTP_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
BACK = {
    "zerodha": {"request_token": "canaryback51", "status": "success"},
    "dhan": {"tokenId": "canaryback51"},
    "fyers": {"auth_code": "canaryback51", "s": "ok"},
    "angelone": {"auth_token": "canaryback51", "feed_token": "canaryback52", "refresh_token": "canaryback53"},
}
SHAPES = ("own", "page", "text", "good", "401", "403", "429", "500")


def keys_of(broker: str) -> Credentials:
    """All that a trader may have given."""
    return Credentials(
        client_id=HELD[broker].client_id,
        api_key=HELD[broker].api_key,
        api_secret="canarysecret43",
        pin=PIN,
        totp_secret=TOTP_SECRET,
        access_token="" if broker == "fyers" else HELD[broker].access_token,
        redirect_uri="http://127.0.0.1:1/callback",
    )


def secrets(broker: str) -> set[str]:
    """What must be seen nowhere."""
    known = {*secrets_of(HELD[broker]), *keys_of(broker).secrets(), totp_code(TOTP_SECRET, 0)}
    return {*known, *BACK[broker].values()} - {"", "ok", "success"}


def echoing(broker: str, shape: str, sent: list[str], known: tuple[str, ...] = ()) -> Any:
    """A server that answers in this shape with all that it was sent, and what it knows of whoever says who he is."""

    async def handle(request: web.Request) -> web.StreamResponse:
        sent.append(f"{dict(request.headers)} {await request.text()} {request.path_qs}")
        knows = known if any(secret in sent[-1] for secret in known if secret) else ()
        everything = f"echo {sent[-1]} {' '.join(knows)}"
        if shape == "own":
            return await REFUSE[broker](request, everything)
        if shape == "good":
            return web.json_response({"status": True, "s": "ok", "message": everything, "data": everything})
        status = int(shape) if shape.isdecimal() else 400
        kind = "text/html" if shape == "page" else "text/plain"
        return web.Response(status=status, text=everything, content_type=kind, headers={"X-Echo": everything[:4000]})

    return handle


async def seen(call: Awaitable[Any]) -> str:
    """What a log would hold of a call: its result, or its error with all that it came from."""
    try:
        return repr(await call)
    except BrokerError as error:
        return "".join(traceback.format_exception(error)) + repr(error)


def calls_of(broker: str, port: Broker) -> Iterator[tuple[str, Awaitable[Any]]]:
    """Every call of the port, by its name."""
    instrument = ORDER[broker].instrument
    ref = order_ref("17", instrument=instrument)
    change = Change(order=ref, type=OrderType.STOP_LIMIT, quantity=10, price=28600000, trigger=28650000)
    trigger = NewTrigger(
        instrument=instrument,
        side=Side.SELL,
        product=Product.DELIVERY,
        last_price=28700000,
        legs=(TriggerLeg(trigger=28600000, price=28500000, quantity=1),),
    )
    yield "place", port.place(order=ORDER[broker])
    yield "modify", port.modify(change=change)
    yield "cancel", port.cancel(order=ref)
    yield "book", port.read_book(begun_at=0)
    yield "order", port.read_order(broker_order_id="17", begun_at=0)
    yield "tag", port.read_by_tag(tag=ORDER[broker].tag, begun_at=0)
    yield "trades", port.read_trades()
    yield "positions", port.read_positions()
    yield "holdings", port.read_holdings()
    yield "funds", port.read_funds()
    yield "margin", port.read_margin(orders=(ORDER[broker],))
    yield "quotes", port.read_quotes(instruments=(instrument,))
    yield "ltp", port.read_ltp(instruments=(instrument,))
    yield "candles", port.read_candles(instrument=instrument, start=0, end=60_000, interval=Interval.MINUTE)
    yield "instruments", port.read_instruments(exchange="NSE")
    assert port.triggers is not None
    yield "place trigger", port.triggers.place(trigger=trigger)
    yield "modify trigger", port.triggers.modify(trigger_id="5", trigger=trigger)
    yield "cancel trigger", port.triggers.cancel(trigger_id="5", instrument=instrument)
    yield "triggers", port.triggers.read()


def logins_of(broker: str, port: Broker, back: Mapping[str, str]) -> Iterator[tuple[str, Awaitable[Any]]]:
    """Every way in and out."""
    login, keys = port.login, keys_of(broker)
    if login.begin is not None and broker == "dhan":  # elsewhere the page's address is made without a call
        yield "begin", login.begin(credentials=keys, state="s")
    if login.finish is not None:
        yield "finish", login.finish(credentials=keys, callback=back, now=0)
    if login.direct is not None:
        yield "direct", login.direct(credentials=keys, now=0)
    if login.renew is not None:
        yield "renew", login.renew(credentials=keys, session=HELD[broker], now=0)
    if login.end is not None:
        yield "end", login.end(session=HELD[broker])


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, but for the stand-in server's own words."""
    return [one.getMessage() for one in caplog.records if not one.name.startswith(("aiohttp", "asyncio"))]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("broker", BROKERS)
async def test_no_secret_in_any_outcome_error_or_log(broker: str, shape: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent: list[str] = []
    async with stand_of(broker) as stand:
        stand.handler = echoing(broker, shape, sent, secrets_of(HELD[broker]))
        texts = {name: await seen(call) for name, call in calls_of(broker, stand.broker)}
        stand.handler = echoing(broker, shape, sent)
        texts |= {name: await seen(call) for name, call in logins_of(broker, stand.broker, BACK[broker])}
    assert len(sent) >= len(texts) - 2, "the calls went out"
    assert any(secret in text for text in sent for secret in secrets(broker)), "the server was sent secrets"
    texts["log"] = "\n".join(told(caplog))
    shown = {(name, secret) for name, text in texts.items() for secret in secrets(broker) if secret in text}
    assert not shown


@pytest.mark.parametrize("broker", BROKERS)
def test_no_secret_in_any_text_form(broker: str) -> None:
    held, keys = HELD[broker], keys_of(broker)
    spec = StreamSpec(
        url=f"ws://x/?token={held.access_token}",
        headers={"Authorization": held.access_token},
        on_binary=lambda _: None,
        on_text=lambda _: None,
    )
    text = f"{held} {held!r} {keys} {keys!r} {[held, keys]} { {'session': held, 'keys': keys} } {spec!r}"
    assert not [secret for secret in secrets(broker) if secret in text]


@pytest.mark.parametrize(
    "head", [b"401 Unauthorized", b"403 Forbidden", b"429 Too Many Requests", b"500 Oops", b"302 Found"]
)
@pytest.mark.parametrize("broker", BROKERS)
async def test_no_secret_in_a_refused_handshake(broker: str, head: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    held = HELD[broker]
    echo = f"HTTP/1.1 {head.decode()} {held.access_token}\r\nX-Error-Message: {held.access_token} {held.api_key}"
    async with stand_of(broker) as stand, answering(echo.encode()) as port:
        with pytest.raises(BrokerError) as caught:
            await pointed_at(broker, stand, port).open_feed(listener=Ear())
    text = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + "\n".join(told(caplog))
    assert not [secret for secret in secrets(broker) if secret in text]


SOCKET_TEXTS = {
    "zerodha": ['{"type":"error","data":"%s"}', '{"type":"message","data":"%s"}', '{"type":"order","data":{"x":"%s"}}'],
    "dhan": ['{"Type":"order_alert","Data":{"Exchange":"%s","Segment":"E"}}', '{"Type":"%s"}'],
    "fyers": ['{"s":"error","code":-99,"message":"%s"}', '{"s":"ok","orders":{"id":"%s"}}'],
    "angelone": [
        '{"errorCode":"E1002","errorMessage":"%s"}',
        '{"status-code":"401","order-status":"AB00","error-message":"%s"}',
        '{"order-status":"%s"}',
    ],
}


@pytest.mark.parametrize("broker", BROKERS)
async def test_no_secret_in_what_a_feed_tells(broker: str, caplog: pytest.LogCaptureFixture) -> None:
    """Errors of the broker, frames that cannot be read, and the reason of the end."""
    caplog.set_level(logging.DEBUG)
    echo = " ".join(sorted(secrets_of(HELD[broker])))
    async with stand_of(broker) as stand:
        ear = Ear()
        await ready(broker, stand, ear)
        sockets = list(stand.sockets)
        for socket in sockets:
            for text in SOCKET_TEXTS[broker]:
                await socket.send_str(text % echo)
            await socket.send_str(echo)
            await socket.send_bytes(echo.encode())
        await sockets[-1].close(code=1008, message=echo[:100].encode())
        async with asyncio.timeout(5):
            while not str(ear.heard[-1:]).startswith("['closed"):
                ear.something.clear()
                await ear.something.wait()
        heard = [str(one) for one in ear.heard]
    assert any(one.startswith("trouble") for one in heard)
    shown = [one for one in [*heard, *told(caplog)] for secret in secrets(broker) if secret in one]
    assert not shown
