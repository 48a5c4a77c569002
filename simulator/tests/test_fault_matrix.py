"""Every fault switch at every broker, as a plain client of its protocol sees it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from algo_crds.contracts.orders import RejectKind
from algo_simulator.angelone.testing import ACCOUNT as ANGEL_ACCOUNT
from algo_simulator.angelone.testing import ORDER, Angel
from algo_simulator.dhan.testing import DhanClient
from algo_simulator.dhan.testing import order as dhan_order
from algo_simulator.fyers.testing import FyersUser
from algo_simulator.fyers.testing import order as fyers_order
from algo_simulator.servers import FRONTS
from algo_simulator.testing import Sim, ticks

ROWS = {"NSE:RELIANCE": ticks([(f"09:{15 + second // 60}:{second % 60:02}", "2000") for second in range(600)])}
TRADED = 1_618_199_101_000
MARKET = {"start_time": "09:14:59", "previous_closes": {"NSE:RELIANCE": "2000"}, "speed": 20}
Answer = tuple[int, str]
OF_ORDERS = [
    *(RejectKind.MARGIN, RejectKind.PRICE, RejectKind.THROUGH, RejectKind.TICK_SIZE, RejectKind.BAND, RejectKind.GAP),
    *(RejectKind.QUANTITY, RejectKind.PRODUCT, RejectKind.CLOSED, RejectKind.ORDER_OTHER),
]
"""Kinds by which a new order is refused; the others refuse a change, or come from a door."""
BROKERS = sorted(FRONTS)


@dataclass(frozen=True)
class Client:
    """One account's client at one broker."""

    sim: Sim
    order: Callable[[], Awaitable[Answer]]
    """Place a limit buy of ten at 1990, which rests: status and text of the answer."""
    book: Callable[[], Awaitable[Answer]]
    updates: Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]]
    """A socket that tells order changes, and has told what it says at first."""

    async def fault(self, **switches: Any) -> None:
        await self.sim.call("PATCH", "/worlds/w/faults", switches)

    async def stored(self) -> list[dict[str, Any]]:
        (account,) = (await self.sim.call("GET", "/worlds/w/book"))["accounts"].values()
        return list(account["orders"])

    async def now(self) -> int:
        return int((await self.sim.call("GET", "/worlds/w"))["now"])

    async def later(self, milliseconds: int) -> None:
        """Wait for so much session time."""
        until = await self.now() + milliseconds
        await self.sim.until(lambda view: view["now"] >= until)


async def _text(response: aiohttp.ClientResponse) -> Answer:
    return response.status, await response.text()


async def _zerodha(sim: Sim) -> Client:
    await sim.world(ROWS, **MARKET)
    form = {"exchange": "NSE", "tradingsymbol": "RELIANCE", "transaction_type": "BUY", "quantity": "10"}
    form |= {"product": "MIS", "order_type": "LIMIT", "price": "1990"}

    async def ask(method: str, path: str, **body: Any) -> Answer:
        headers = {"Authorization": f"token simkey0001:{sim.token}"}
        async with sim.http.request(method, sim.kite + path, headers=headers, **body) as response:
            return await _text(response)

    async def updates() -> aiohttp.ClientWebSocketResponse:
        return await sim.http.ws_connect(f"{sim.kite}/?api_key=simkey0001&access_token={sim.token}")

    return Client(sim, lambda: ask("POST", "/orders/regular", data=form), lambda: ask("GET", "/orders"), updates)


async def _dhan(sim: Sim) -> Client:
    user = DhanClient(sim)
    await user.world(ROWS, **MARKET)

    async def ask(method: str, path: str, body: Any = None) -> Answer:
        status, answer = await user.call(method, path, body)
        return status, json.dumps(answer)

    async def updates() -> aiohttp.ClientWebSocketResponse:
        socket = await user.order_socket()
        await sim.until(lambda _: "orders" in sim.servers.worlds.get("w").world.accounts["1000000003"].streams)
        return socket

    return Client(sim, lambda: ask("POST", "/orders", dhan_order()), lambda: ask("GET", "/orders"), updates)


async def _fyers(sim: Sim) -> Client:
    user = FyersUser(sim)
    await user.world(ROWS, **MARKET)

    async def ask(method: str, path: str, body: Any = None) -> Answer:
        async with sim.http.request(method, f"{user.root}/api/v3{path}", json=body, headers=user.headers) as response:
            return await _text(response)

    async def updates() -> aiohttp.ClientWebSocketResponse:
        socket = await sim.http.ws_connect(f"{user.root}/order-socket", headers=user.headers)
        await socket.send_json({"T": "SUB_ORD", "SLIST": ["orders"], "SUB_T": 1})
        assert (await socket.receive_json(timeout=5))["code"] == 1605
        return socket

    return Client(sim, lambda: ask("POST", "/orders/sync", fyers_order()), lambda: ask("GET", "/orders"), updates)


async def _angelone(sim: Sim) -> Client:
    await sim.world(ROWS, accounts=[], **MARKET)
    await sim.call("POST", "/worlds/w/accounts", ANGEL_ACCOUNT, status=201)
    angel = Angel(sim)
    await angel.log_in()

    async def ask(method: str, path: str, body: Any = None) -> Answer:
        status, answer = await angel.send(method, path, body)
        return status, json.dumps(answer)

    async def updates() -> aiohttp.ClientWebSocketResponse:
        headers = {"Authorization": f"Bearer {angel.jwt}"}
        socket = await sim.http.ws_connect(f"{angel.root}/order-socket", headers=headers)
        assert (await socket.receive_json(timeout=5))["order-status"] == "AB00"
        return socket

    return Client(
        sim,
        lambda: ask("POST", "order/v1/placeOrder", {**ORDER, "price": "1990"}),
        lambda: ask("GET", "order/v1/getOrderBook"),
        updates,
    )


OPEN: dict[str, Callable[[Sim], Awaitable[Client]]] = {
    "zerodha": _zerodha,
    "dhan": _dhan,
    "fyers": _fyers,
    "angelone": _angelone,
}


@pytest.fixture(params=BROKERS)
async def running(request: pytest.FixtureRequest, sim: Sim) -> Client:
    """A client in a market that has traded at 2000 and goes on at 20 session seconds a second."""
    client = await OPEN[request.param](sim)
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= TRADED)
    return client


@pytest.fixture
async def client(running: Client) -> Client:
    """The same, standing still."""
    await running.sim.call("POST", "/worlds/w/pause")
    return running


async def test_without_a_fault_an_order_is_stored_and_in_the_book(client: Client) -> None:
    status, text = await client.order()
    (stored,) = await client.stored()
    assert (status, stored["status"]) == (200, "Open")
    assert stored["order_id"] in text
    assert stored["order_id"] in (await client.book())[1]


async def test_latency_of_all_calls_and_of_order_calls_is_session_time(running: Client) -> None:
    await running.fault(latency_ms=3_000)
    begun = await running.now()
    assert (await running.book())[0] == 200
    assert await running.now() - begun >= 3_000
    await running.fault(latency_ms=0, order_latency_ms=4_000)
    begun = await running.now()
    assert (await running.order())[0] == 200
    assert await running.now() - begun >= 4_000


@pytest.mark.parametrize(("switch", "kept"), [("fail_before", 0), ("fail_after", 1)])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_failed_write_was_carried_out_or_not(client: Client, switch: str, kept: int, status: int) -> None:
    await client.fault(**{switch: 1, "fail_status": status})
    assert (await client.order())[0] >= 400
    assert len(await client.stored()) == kept
    assert (await client.book())[0] == 200, "reads are not concerned"


async def test_a_failed_read_is_no_empty_book_and_the_next_one_works(running: Client) -> None:
    await running.fault(fail_reads=1)
    assert (await running.book())[0] >= 400
    await running.later(1_100)  # Angel One's book may be read once a second.
    assert (await running.book())[0] == 200


async def test_a_lost_answer_was_carried_out(client: Client) -> None:
    await client.fault(lose_answers=1, lost_after_ms=0)
    with pytest.raises(aiohttp.ClientError):
        await client.order()
    assert len(await client.stored()) == 1


@pytest.mark.parametrize("switches", [{"rate_limit": 1}, {"refuse_address": True}, {"expire_token": True}], ids=str)
async def test_a_door_that_is_shut_stores_nothing_and_says_which(client: Client, switches: dict[str, Any]) -> None:
    await client.fault(**switches)
    status, text = await client.order()
    assert status in (400, 401, 403, 429)
    words = {"rate_limit": ("rate", "requests", "limit"), "refuse_address": ("ip",), "expire_token": ("token",)}
    assert any(word in text.lower() for word in words[next(iter(switches))]), text
    assert not await client.stored()


@pytest.mark.parametrize("kind", OF_ORDERS)
async def test_a_refusal_by_kind_in_the_row_and_in_the_answer(client: Client, kind: RejectKind) -> None:
    await client.fault(reject=1, reject_kind=kind)
    await client.order()
    (stored,) = await client.stored()
    assert stored["status"] == "Rejected"
    status, book = await client.book()
    assert status == 200
    assert stored["order_id"] in book
    await client.fault(reject=1, reject_kind=kind, reject_in_answer=True)
    assert stored["order_id"] not in (await client.order())[1]
    assert len(await client.stored()) == 1


async def test_a_refusal_of_one_side_lets_the_other_pass(client: Client) -> None:
    await client.fault(reject=1, reject_side="Sell")
    await client.order()
    assert [order["status"] for order in await client.stored()] == ["Open"]


async def _heard(socket: aiohttp.ClientWebSocketResponse) -> int:
    """How many order changes were told until the connection's end."""
    told = [message.data async for message in socket if message.type in (aiohttp.WSMsgType.TEXT,)]
    return len([text for text in told if "RELIANCE" in text])


async def test_updates_are_dropped_and_repeated_and_a_cut_ends_the_socket(client: Client) -> None:
    heard: dict[str, int] = {}
    for name, switches in {"plain": {}, "dropped": {"drop_updates": -1}, "twice": {"duplicate_updates": -1}}.items():
        await client.fault(drop_updates=0, duplicate_updates=0)
        socket = await client.updates()
        await client.fault(**switches)
        await client.order()
        await client.fault(disconnect=True)
        heard[name] = await _heard(socket)
    assert heard["plain"] >= 1
    assert (heard["dropped"], heard["twice"]) == (0, 2 * heard["plain"])


async def test_updates_come_late_by_session_time(running: Client) -> None:
    socket = await running.updates()
    await running.fault(delay_updates_ms=5_000)
    begun = await running.now()
    await running.order()
    while "RELIANCE" not in str((await socket.receive(timeout=10)).data):
        pass
    assert await running.now() - begun >= 5_000


async def test_the_exchange_cancels_and_a_hand_places(client: Client) -> None:
    await client.order()
    (stored,) = await client.stored()
    which = {"client_id": next(iter((await client.sim.call("GET", "/worlds/w/book"))["accounts"]))}
    await client.sim.call(
        "POST", "/worlds/w/manual", {**which, "action": "exchange_cancel", "order_id": stored["order_id"]}
    )
    hand = {**which, "action": "place", "symbol": "NSE:RELIANCE", "side": "Buy", "quantity": 1, "price": "1980"}
    await client.sim.call("POST", "/worlds/w/manual", hand)
    assert [order["status"] for order in await client.stored()] == ["Cancelled", "Open"]
    status, book = await client.book()
    assert status == 200
    assert all(order["order_id"] in book for order in await client.stored())
    assert "cancel" in book.lower() or '"status":1' in book.replace(" ", "")


async def test_fills_follow_the_liquidity(running: Client) -> None:
    await running.fault(liquidity=4)
    await running.later(1_100)  # It is what each trade offers from the next one on.
    account = next(iter((await running.sim.call("GET", "/worlds/w/book"))["accounts"]))
    hand = {"client_id": account, "action": "place", "symbol": "NSE:RELIANCE", "side": "Buy", "quantity": 10}
    await running.sim.call("POST", "/worlds/w/manual", {**hand, "price": "2005"})
    await running.later(4_000)
    trades = (await running.sim.call("GET", "/worlds/w/book"))["accounts"][account]["trades"]
    assert [trade["quantity"] for trade in trades] == [4, 4, 2]
