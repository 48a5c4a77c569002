"""Every fault switch, as a client of the broker sees it."""

import asyncio
from typing import Any

import aiohttp
import pytest
from algo_crds.contracts.world import Beat
from algo_simulator.testing import Player, Sim, ticks

ROWS = {"NSE:RELIANCE": ticks([(f"09:15:{second:02}", "2000") for second in range(40)])}
TRADED = 1_618_199_101_000
BUY = {
    "exchange": "NSE",
    "tradingsymbol": "RELIANCE",
    "transaction_type": "BUY",
    "quantity": "10",
    "product": "MIS",
    "order_type": "LIMIT",
    "price": "2005",
}


async def _open(sim: Sim, **fields: Any) -> None:
    """A market that has traded at 2000 and stands still."""
    await sim.world(ROWS, start_time="09:14:59", end_time="09:15:39", speed=20, **fields)
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= TRADED)
    await sim.call("POST", "/worlds/w/pause")


async def _orders(sim: Sim) -> list[dict[str, Any]]:
    book = await sim.call("GET", "/worlds/w/book")
    return list(book["accounts"]["SM0001"]["orders"])


@pytest.mark.parametrize(
    ("faults", "status", "error_type", "stored"),
    [
        ({"fail_before": 1, "fail_status": 503}, 503, "NetworkException", 0),
        ({"fail_after": 1, "fail_status": 504}, 504, "NetworkException", 1),
        ({"fail_before": 1, "fail_status": 500}, 500, "GeneralException", 0),
        ({"fail_after": 1, "fail_status": 400}, 400, "OrderException", 1),
        ({"rate_limit": 1}, 429, "NetworkException", 0),
        ({"refuse_address": True}, 403, "PermissionException", 0),
        ({"reject": 1, "reject_in_answer": True}, 400, "MarginException", 0),
        ({"expire_token": True}, 403, "TokenException", 0),
    ],
)
async def test_refusals_of_a_write(sim: Sim, faults: dict[str, Any], status: int, error_type: str, stored: int) -> None:
    await _open(sim)
    await sim.call("PATCH", "/worlds/w/faults", faults)
    got, answer = await sim.kite_call("POST", "/orders/regular", BUY)
    assert (got, answer["status"], answer["error_type"]) == (status, "error", error_type)
    assert len(await _orders(sim)) == stored


@pytest.mark.parametrize(
    ("kind", "text"),
    [("Margin", "Margin Exceeds"), ("Band", "circuit"), ("TickSize", "tick size"), ("Closed", "closed")],
)
async def test_rejects_by_kind_in_the_row(sim: Sim, kind: str, text: str) -> None:
    await _open(sim)
    await sim.call("PATCH", "/worlds/w/faults", {"reject": 1, "reject_kind": kind, "reject_side": "Buy"})
    await sim.place(price=2005)
    row = (await sim.kite_call("GET", "/orders"))[1]["data"][0]
    assert (row["status"], row["exchange_order_id"]) == ("REJECTED", None)
    assert text in row["status_message_raw"]
    await sim.place(price=2005)
    assert (await _orders(sim))[1]["status"] == "Filled"


async def test_a_lost_answer_was_carried_out(sim: Sim) -> None:
    await _open(sim)
    await sim.call("PATCH", "/worlds/w/faults", {"lose_answers": 1})
    with pytest.raises(aiohttp.ClientError):
        await sim.place(price=2005, tag="lost")
    assert [(o["tag"], o["status"]) for o in await _orders(sim)] == [("lost", "Filled")]


async def test_an_unregistered_address_may_read_but_not_order(sim: Sim) -> None:
    await _open(sim, registered_addresses=["203.0.113.7"])
    status, answer = await sim.kite_call("POST", "/orders/regular", BUY)
    assert (status, answer["error_type"]) == (403, "PermissionException")
    assert answer["message"].startswith("IP (127.0.0.1) is not allowed to place orders for this app.")
    assert (await sim.kite_call("GET", "/orders"))[0] == 200


async def test_latency_is_session_time(sim: Sim) -> None:
    await sim.world(ROWS, start_time="09:15:00", end_time="09:15:39")
    await sim.call("PATCH", "/worlds/w/faults", {"order_latency_ms": 2500})
    answered: list[int] = []
    calls: list[asyncio.Task[None]] = []

    async def place(player: Player) -> None:
        await sim.place(price=2005)
        answered.append(player.now)
        player.in_flight = 0
        await player.idle()

    async def on(player: Player, message: object) -> None:
        if isinstance(message, Beat) and player.now == TRADED and not calls:
            player.in_flight = 1
            calls.append(asyncio.create_task(place(player)))

    async with Player(sim, "account=SM0001&broker=zerodha", on_message=on):
        await sim.call("POST", "/worlds/w/start")
        view = await sim.ended()
    assert answered == [TRADED + 2500]
    assert view["barrier_timeouts"] == 0


async def test_partial_fills_follow_the_trades(sim: Sim) -> None:
    await sim.world(ROWS, start_time="09:15:00", end_time="09:15:10", liquidity=4)
    placed: list[str] = []

    async def on(player: Player, message: object) -> None:
        if isinstance(message, Beat) and player.now == TRADED and not placed:
            placed.append(await sim.place(price=2005))

    async with Player(sim, "account=SM0001&broker=zerodha", on_message=on):
        await sim.call("POST", "/worlds/w/start")
        await sim.ended()
    trades = (await sim.call("GET", "/worlds/w/book"))["accounts"]["SM0001"]["trades"]
    assert [(t["quantity"], t["price"]) for t in trades] == [(4, "2000.00"), (4, "2005.00"), (2, "2005.00")]


async def test_the_hand_places_changes_and_cancels_without_a_tag(sim: Sim) -> None:
    await _open(sim)
    hand = {"client_id": "SM0001", "symbol": "NSE:RELIANCE", "side": "Buy", "quantity": 5, "price": "1990"}
    made = await sim.call("POST", "/worlds/w/manual", {**hand, "action": "place"})
    order_id = made["orders"][0]["order_id"]
    which = {"client_id": "SM0001", "order_id": order_id}
    await sim.call("POST", "/worlds/w/manual", {**which, "action": "modify", "price": "1991"})
    row = (await sim.kite_call("GET", "/orders"))[1]["data"][0]
    assert (row["price"], row["tag"], row["status"]) == (1991.0, None, "OPEN")
    await sim.call("POST", "/worlds/w/manual", {**which, "action": "exchange_cancel"})
    assert (await _orders(sim))[0]["message"] == "The order was cancelled by the exchange"
    await sim.call("POST", "/worlds/w/manual", {**which, "action": "cancel"}, status=422)
    await sim.call("POST", "/worlds/w/manual", {**which, "action": "cancel", "order_id": "1"}, status=404)


async def _texts(sim: Sim, faults: dict[str, Any]) -> list[str]:
    """Statuses of the order updates that one filled order causes."""
    await _open(sim)
    await sim.call("PATCH", "/worlds/w/faults", faults)
    url = f"{sim.kite.replace('http', 'ws')}/?api_key=simkey0001&access_token={sim.token}"
    statuses: list[str] = []
    async with sim.http.ws_connect(url) as socket:
        await sim.place(price=2005)
        await sim.place(price=2150, quantity=1)
        await sim.call("PATCH", "/worlds/w/faults", {"disconnect": True})
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                statuses.append(message.json()["data"]["status"])
        assert socket.close_code == 1000
    return statuses


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({}, ["OPEN", "COMPLETE", "OPEN", "COMPLETE"]),
        ({"drop_updates": 1}, ["COMPLETE", "OPEN", "COMPLETE"]),
        ({"duplicate_updates": 1}, ["OPEN", "OPEN", "COMPLETE", "OPEN", "COMPLETE"]),
        ({"drop_updates": -1}, []),
    ],
)
async def test_order_updates_are_missed_or_repeated(sim: Sim, faults: dict[str, Any], expected: list[str]) -> None:
    assert await _texts(sim, faults) == expected


async def test_a_mute_feed_keeps_its_heartbeat(sim: Sim) -> None:
    await _open(sim)
    await sim.call("PATCH", "/worlds/w/faults", {"mute_feed": True})
    url = f"{sim.kite.replace('http', 'ws')}/?api_key=simkey0001&access_token={sim.token}"
    async with sim.http.ws_connect(url) as socket:
        await socket.send_json({"a": "subscribe", "v": [738561]})
        await sim.call("POST", "/worlds/w/start", {"speed": 0})
        await sim.ended()
        message = await socket.receive(timeout=5)
        assert message.data == b"\x00"


async def test_a_beat_tells_how_far_the_market_socket_must_be_read(sim: Sim) -> None:
    await sim.world(ROWS, start_time="09:15:00", end_time="09:15:05")
    url = f"{sim.kite.replace('http', 'ws')}/?api_key=simkey0001&access_token={sim.token}"
    async with sim.http.ws_connect(url) as socket:
        await socket.send_json({"a": "subscribe", "v": [738561]})
        await socket.send_json({"a": "mode", "v": ["full", [738561]]})
        await socket.ping()
        read = 0

        async def on(_: Player, message: object) -> None:
            nonlocal read
            if isinstance(message, Beat):
                assert message.connection == 1
                while read < message.frames_sent:
                    assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT)
                    read += 1

        async with Player(sim, "account=SM0001&broker=zerodha", on_message=on):
            await sim.call("POST", "/worlds/w/start")
            await sim.ended()
        assert read >= 5
