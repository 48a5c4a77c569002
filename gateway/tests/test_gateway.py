"""The whole gateway over real sockets: a stand-in broker behind it, runners before it, the operator beside it."""

import asyncio
import json

import aiohttp
import msgspec
import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.constants import SHELL
from algo_crds.contracts.orders import OrderClass, OrderStatus, RejectKind
from gateway_bench import ACCOUNT, FRAME, TOKEN, Bench, place


async def test_welcome(bench: Bench) -> None:
    runner = await bench.runner()
    welcome = await runner.hear()
    assert isinstance(welcome, wire.Welcome)
    assert (welcome.epoch, welcome.account, welcome.source, welcome.simulated) == (5, ACCOUNT, ACCOUNT, True)
    assert not welcome.own_clock
    assert (welcome.instrument.tick_size, welcome.instrument.band_low) == (500, 25747000)
    assert welcome.broker.session_valid_until > welcome.now
    assert welcome.broker.halted, "nobody told the halts yet"
    await bench.broker.until(lambda: len(bench.broker.said) >= 2)
    assert json.loads(bench.broker.said[0]) == {"a": "subscribe", "v": [TOKEN]}


async def test_ticks_and_rows_reach_the_runner(bench: Bench) -> None:
    runner = await bench.runner()
    await runner.hear(wire.Welcome)
    await bench.broker.sockets[0].send_bytes(FRAME)
    tick = await runner.hear(wire.Tick)
    assert (tick.price, tick.source, tick.polled) == (28754000, ACCOUNT, False)
    order = {
        "order_id": "9",
        "status": "OPEN",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "product": "MIS",
        "transaction_type": "BUY",
        "order_type": "LIMIT",
        "quantity": 1,
    }
    for number in (1, 2):
        await bench.broker.sockets[0].send_str(json.dumps({"type": "order", "data": order}))
        row = await runner.hear(wire.Row)
        assert (row.seq, row.row.broker_order_id) == (number, "9")
    foreign = order | {"tradingsymbol": "TCS"}
    await bench.broker.sockets[0].send_str(json.dumps({"type": "order", "data": foreign}))
    await bench.broker.sockets[0].send_bytes(FRAME)
    assert isinstance(await runner.hear(wire.Row, wire.Tick), wire.Tick)


async def test_an_order_and_the_book(bench: Bench) -> None:
    runner = await bench.runner()
    await runner.hear(wire.Welcome)
    await runner.say(place(1))
    accepted = await runner.hear(wire.Accepted)
    assert (accepted.req, accepted.broker_order_id) == (1, "1")
    await runner.say(wire.ReadBook(req=2))
    while (book := await runner.hear(wire.Book)).req != 2:
        pass
    assert [row.status for row in book.rows] == [OrderStatus.OPEN]
    await runner.say(wire.ReadPositions(req=3))
    assert (await runner.hear(wire.Positions)).rows == ()
    await runner.say(wire.ReadQuote(req=4))
    assert (await runner.hear(wire.Tick)).polled
    await runner.say(place(1))
    assert (await runner.hear(wire.Rejected)).kind is RejectKind.DUPLICATE_TAG
    assert bench.broker.calls.count("POST /orders/regular") == 1


async def test_no_entry_until_the_halts_are_known(bench: Bench) -> None:
    runner = await bench.runner()
    await runner.hear(wire.Welcome)
    await runner.say(place(1, OrderClass.ENTRY))
    assert (await runner.hear(wire.Rejected)).kind is RejectKind.HALTED
    assert await bench.halt() == 200
    assert not (await runner.hear(wire.BrokerHealth)).halted
    await runner.say(place(2, OrderClass.ENTRY))
    assert (await runner.hear(wire.Accepted)).req == 2
    assert await bench.halt("tenant: enough", port=bench.port + 1) == 200
    assert (await runner.hear(wire.BrokerHealth)).halt_reason == "tenant: enough"
    await runner.say(place(3, OrderClass.ENTRY))
    assert (await runner.hear(wire.Rejected)).message == "tenant: enough"
    await runner.say(place(4))
    assert (await runner.hear(wire.Accepted)).req == 4


async def test_a_broker_that_does_not_answer_gets_stops_but_no_entries(bench: Bench) -> None:
    runner = await bench.runner()
    await runner.hear(wire.Welcome)
    await bench.halt()
    bench.broker.fail = "orders"
    for req in range(1, SHELL.breaker_failures):
        await runner.say(place(req))
        assert (await runner.hear(wire.Unknown)).req == req
    await runner.say(place(SHELL.breaker_failures))
    while not (await runner.hear(wire.BrokerHealth)).breaker_open:
        pass
    bench.broker.fail = ""
    await runner.say(place(20, OrderClass.ENTRY))
    refused = await runner.hear(wire.Rejected)
    assert refused.kind is RejectKind.BROKER_DOWN
    assert "breaker is open" in refused.message
    await runner.say(place(21))
    assert (await runner.hear(wire.Accepted)).req == 21


async def test_an_order_off_the_tick_or_the_band_never_leaves(bench: Bench) -> None:
    runner = await bench.runner()
    await runner.hear(wire.Welcome)
    await bench.halt()
    await runner.say(msgspec.structs.replace(place(1), price=28_700_001))
    assert (await runner.hear(wire.Rejected)).kind is RejectKind.TICK_SIZE
    beyond = 40_000_000
    await runner.say(msgspec.structs.replace(place(2, OrderClass.ENTRY), price=beyond))
    assert (await runner.hear(wire.Rejected)).kind is RejectKind.BAND
    assert "POST /orders/regular" not in bench.broker.calls
    await runner.say(msgspec.structs.replace(place(3), price=beyond))
    assert (await runner.hear(wire.Accepted)).req == 3
    await runner.say(place(1))
    assert (await runner.hear(wire.Accepted)).req == 1


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x.y.z"}])
async def test_strangers_are_kept_out(bench: Bench, headers: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{bench.port}"
    async with bench.http.post(f"{url}/halt", headers=headers, json={"reasons": ["x"]}) as answer:
        assert answer.status == 401
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await bench.http.ws_connect(f"{url}{wire.RUNNER_PATH}", headers=headers)
    assert refused.value.status == 401
    runner_token = {"Authorization": f"Bearer {bench.token()}"}
    async with bench.http.post(f"{url}/halt", headers=runner_token, json={"reasons": []}) as answer:
        assert answer.status == 401, "a runner's token halts nothing"
    other = {"Authorization": f"Bearer {bench.token(account='brk_other')}"}
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await bench.http.ws_connect(f"{url}{wire.RUNNER_PATH}", headers=other)


async def test_a_newer_epoch_takes_over(bench: Bench) -> None:
    old = await bench.runner()
    await old.hear(wire.Welcome)
    new = await bench.runner(epoch=6)
    assert (await new.hear()).epoch == 6
    assert (await old.hear(wire.EpochLost)).newest == 6
    with pytest.raises(ConnectionError):
        await old.hear()
    late = await bench.runner(epoch=4)
    assert (await late.hear()).newest == 6
    with pytest.raises(ConnectionError):
        await late.hear()
    await new.say(place(1))
    assert (await new.hear(wire.Accepted)).req == 1


async def test_a_lost_feed_comes_back_with_its_symbols(bench: Bench) -> None:
    runner = await bench.runner()
    await runner.hear(wire.Welcome)
    await bench.broker.until(lambda: len(bench.broker.said) >= 2)
    await bench.broker.sockets[0].close()
    assert not (await runner.hear(wire.FeedHealth)).connected
    await runner.hear(wire.UpdatesGap)
    await bench.broker.until(lambda: len(bench.broker.sockets) == 2 and len(bench.broker.said) >= 4)
    assert (await runner.hear(wire.FeedHealth)).connected
    assert (await runner.hear(wire.Book)).req == 0
    await bench.broker.sockets[1].send_bytes(FRAME)
    assert (await runner.hear(wire.Tick)).price == 28754000


async def test_the_session_is_read_again_when_its_file_changes(bench: Bench) -> None:
    runner = await bench.runner()
    await runner.hear(wire.Welcome)
    kept = bench.session_file.read_bytes()
    bench.session_file.write_bytes(b"{}")
    assert (await runner.hear(wire.BrokerHealth)).session_valid_until == 0
    await runner.say(place(1))
    assert (await runner.hear(wire.Rejected)).kind is RejectKind.SESSION
    bench.session_file.write_bytes(kept)
    assert (await runner.hear(wire.BrokerHealth)).session_valid_until > 0
    await runner.say(place(2))
    assert (await runner.hear(wire.Accepted)).req == 2


async def test_a_session_that_the_broker_ended(bench: Bench) -> None:
    runner = await bench.runner()
    await runner.hear(wire.Welcome)
    bench.broker.fail = "session"
    await runner.say(place(1))
    assert (await runner.hear(wire.Rejected)).kind is RejectKind.SESSION
    assert (await runner.hear(wire.BrokerHealth)).session_valid_until == 0


async def test_health_and_metrics(bench: Bench) -> None:
    for port in (bench.port, bench.port + 1):
        for path in ("healthz", "readyz"):
            async with bench.http.get(f"http://127.0.0.1:{port}/{path}") as answer:
                assert answer.status == 200
    async with bench.http.get(f"http://127.0.0.1:{bench.port}/metrics") as answer:
        assert f'algo_gateway_session_valid{{account="{ACCOUNT}"}} 1.0' in await answer.text()
    async with bench.http.get(f"http://127.0.0.1:{bench.port}/nothing") as answer:
        assert answer.status == 404


async def test_a_slow_or_mute_caller_gets_its_page(bench: Bench) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    for part in (b"GET /r", b"eadyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
