"""Which address order calls leave from: by the real route, through a real proxy, and as people are told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from algo_brokers.http import HttpAnswer
from algo_crds.contracts import keys, wire
from algo_crds.contracts.account_state import Alert, EgressState
from algo_crds.contracts.orders import OrderClass, RejectKind
from algo_gateway import egress
from algo_gateway.egress import (
    DIFFERS,
    NOT_CHECKED,
    PAPER,
    Egress,
    EgressCheck,
    NoAddressError,
    Pace,
    address_of,
    ask,
    egress_check,
    judged,
)
from connect_proxy import ConnectProxy, connect_proxy
from gateway_bench import ACCOUNT, open_bench, place
from gateway_processes import RedisServer
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

FAST = Pace(every_s=0.01, after_failure_s=0.01, at_least_s=0.0)
RARE = Pace(every_s=3600, after_failure_s=3600, at_least_s=0.0)


def text(body: bytes, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, "text/plain", body)


@pytest.mark.parametrize(
    ("body", "address"),
    [
        (b"203.0.113.7", "203.0.113.7"),
        (b" 203.0.113.7\r\n", "203.0.113.7"),
        (b"2001:DB8::0:7\n", "2001:db8::7"),
    ],
)
def test_an_address(body: bytes, address: str) -> None:
    assert address_of(text(body)) == address


@pytest.mark.parametrize(
    "answer",
    [
        text(b""),
        text(b"203.0.113.7, 10.0.0.1"),
        text(b"203.0.113"),
        text(b"203.0.113.007"),
        text(b"203.0.113.7/32"),
        text(b"fe80::1%eth0"),
        text(b"\xff"),
        text("٢٠٣.0.113.7".encode()),
        text(b'{"ip": "203.0.113.7"}'),
        text(b"<html>" + b" " * 100),
        text(b"203.0.113.7", 403),
        text(b"203.0.113.7", 302),
    ],
)
def test_no_address(answer: HttpAnswer) -> None:
    with pytest.raises(NoAddressError):
        address_of(answer)


@given(st.binary(max_size=80), st.sampled_from([200, 204, 500]))
def test_any_answer_is_an_address_or_an_error(body: bytes, status: int) -> None:
    try:
        assert address_of(text(body, status)).count("%") == 0
    except NoAddressError:
        return


def test_the_same_address_in_another_spelling_is_the_registered_one() -> None:
    assert judged("2001:db8::7", " 2001:0db8:0::7").state is EgressState.REGISTERED


def test_another_address_names_both_and_what_to_do() -> None:
    found = judged("203.0.113.7", "198.51.100.1")
    assert (found.state, found.address) == (EgressState.DIFFERS, "203.0.113.7")
    for part in ("203.0.113.7", "198.51.100.1", "spec.egress.proxyUrl", "spec.egress.registeredAddress"):
        assert part in found.message
    assert judged("203.0.113.7", "no address").state is EgressState.DIFFERS


def test_without_a_registered_address_there_is_nothing_to_compare() -> None:
    assert judged("203.0.113.7", "").state is EgressState.NONE_REGISTERED


@pytest.fixture
async def tunnel() -> AsyncIterator[ConnectProxy]:
    async with connect_proxy() as one:
        yield one


@pytest.fixture
async def service() -> AsyncIterator[tuple[str, list[str]]]:
    """A service that answers with an address, and what it was asked."""
    asked: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path_qs}")
        return web.Response(text="203.0.113.7\n") if request.path == "/ip" else web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


async def test_it_asks_by_the_route_of_order_calls(service: tuple[str, list[str]], tunnel: ConnectProxy) -> None:
    host, asked = service
    assert await ask(f"http://{host}/ip?x=1", tunnel.url) == "203.0.113.7"
    assert tunnel.targets == [host]
    assert await ask(f"http://{host}/ip", "") == "203.0.113.7"
    assert (tunnel.targets, asked) == ([host], ["GET /ip?x=1", "GET /ip"])


@pytest.mark.parametrize("url", ["http://{host}/nothing", "http://127.0.0.1:1/", "http://[", "http://x:y/", "", "ip"])
async def test_what_gives_no_address_is_an_error_with_a_reason(service: tuple[str, list[str]], url: str) -> None:
    with pytest.raises(NoAddressError, match=r"."):
        await ask(url.format(host=service[0]), "")


class Watch:
    """A check that answers from a list and stays with its last."""

    def __init__(self, *answers: str | Exception, registered: str = "203.0.113.7", pace: Pace = FAST) -> None:
        self.answers = list(answers)
        self.told: list[Egress] = []
        self.asked = 0
        self.more = asyncio.Event()
        self.check = EgressCheck(ask=self._ask, registered=registered, changed=self.told.append, pace=pace)

    async def _ask(self) -> str:
        self.asked += 1
        self.more.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, holds: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.check.run())
        async with asyncio.timeout(5):
            while not holds():
                self.more.clear()
                await self.more.wait()
        running.cancel()


async def test_what_changes_is_told_once() -> None:
    watch = Watch("198.51.100.1", "198.51.100.1", NoAddressError("away"), ValueError("a mistake"), "203.0.113.7")
    await watch.until(lambda: watch.asked > 6)
    states = [one.state for one in watch.told]
    assert states == [
        EgressState.DIFFERS,
        EgressState.UNREACHABLE,
        EgressState.UNREACHABLE,
        EgressState.REGISTERED,
    ]
    assert "198.51.100.1" in watch.told[1].message
    assert "away" in watch.told[1].message
    assert watch.told[1].address == ""


async def test_a_refused_order_has_it_asked_again() -> None:
    watch = Watch("203.0.113.7", "198.51.100.1", pace=RARE)
    running = asyncio.create_task(watch.check.run())
    await until(lambda: watch.told)
    await asyncio.sleep(0.02)
    assert watch.asked == 1
    watch.check.soon()
    await until(lambda: len(watch.told) == 2)
    running.cancel()
    assert watch.check.found.state is EgressState.DIFFERS


@pytest.mark.parametrize(("url", "paper", "first"), [("", False, NOT_CHECKED), ("http://127.0.0.1:1/", True, PAPER)])
async def test_nothing_is_asked_where_nothing_is_set(url: str, paper: bool, first: Egress) -> None:
    check = egress_check(url, "", "203.0.113.7", paper=paper, changed=_never)
    async with asyncio.timeout(5):
        await check.run()
    assert check.found == first


def _never(_found: Egress) -> None:
    raise AssertionError("nothing was asked")


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.02)


@pytest.mark.redis
async def test_a_gateway_tells_a_difference_and_lets_orders_pass(tmp_path: Path, redis: RedisServer) -> None:
    env = {"ADDRESS_CHECK_URL": "http://{broker}/address", "REGISTERED_ADDRESS": "198.51.100.1"}
    password = tmp_path / "password"
    password.write_text("")
    env |= {"REDIS_URL": redis.url, "REDIS_PASSWORD_FILE": str(password)}
    with contextlib.closing(Redis.from_url(redis.url)) as client:
        reader: Any = client
        async with open_bench(tmp_path, **env) as bench:
            await until(lambda: reader.hget(keys.account_state(ACCOUNT), "alert"))
            held = reader.hgetall(keys.account_state(ACCOUNT))
            state = {name.decode(): value.decode() for name, value in held.items()}
            assert (state["egress"], state["egress_state"]) == ("203.0.113.7", "Differs")
            alert = msgspec.json.decode(state["alert"], type=Alert)
            assert (alert.code, alert.message) == (DIFFERS, state["egress_message"])
            codes = [event[b"code"].decode() for _, event in reader.xrange(keys.account_events(ACCOUNT))]
            assert codes.count(DIFFERS) == 1
            runner = await bench.runner()
            assert (await runner.hear(wire.Welcome)).broker.egress == "203.0.113.7"
            assert await bench.halt() == 200
            await runner.say(wire.ReadBook(req=9))
            await runner.hear(wire.Book)
            await runner.say(place(1))
            assert isinstance(await runner.hear(wire.Accepted, wire.Rejected), wire.Accepted)
            await runner.say(place(2, OrderClass.ENTRY))
            assert isinstance(await runner.hear(wire.Accepted, wire.Rejected), wire.Accepted)


async def test_an_order_refused_for_its_address_has_the_address_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "PACE", RARE)
    env = {"ADDRESS_CHECK_URL": "http://{broker}/address", "REGISTERED_ADDRESS": "203.0.113.7"}
    async with open_bench(tmp_path, **env) as bench:
        await bench.broker.until(lambda: bench.broker.addresses_asked == 1)
        bench.broker.fail, bench.broker.address = "address", "198.51.100.9"
        runner = await bench.runner()
        await runner.hear(wire.Welcome)
        await runner.say(place(1))
        assert (await runner.hear(wire.Rejected)).kind is RejectKind.ADDRESS
        while (health := await runner.hear(wire.BrokerHealth)).egress != "198.51.100.9":
            pass
        assert bench.gateway.egress.found.state is EgressState.DIFFERS, health
