"""Parts of the shell by themselves: settings, session clock, spool, health answers, time without protection."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.constants import SHELL
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Side
from algo_crds.contracts.runtime import AlertEvent, OrderEvent, OrderView, Phase, QueueEvent, RuntimeSpec, StrategyView
from algo_runner.engine.state import initial
from algo_runner.fence import Command, Fence, FencedError
from algo_runner.health import _answer
from algo_runner.lease import Lease
from algo_runner.order_queue import create_order_queue
from algo_runner.order_times import OrderTimes
from algo_runner.redis_link import RedisAwayError, RedisRefusedError
from algo_runner.session_clock import SessionClock
from algo_runner.settings import SettingsError, load, read_token, runner_url
from algo_runner.spec_watch import SpecWatch, parse_command
from algo_runner.spool import Spool
from algo_runner.state_store import StateStore
from algo_runner.unprotected import UnprotectedTime
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from shell_processes import STRATEGY, make_spec, make_token

ENVIRONMENT = {"STRATEGY_ID": STRATEGY, "REDIS_URL": "redis://r:6380/2", "GATEWAY_URL": "ws://gw-paper.ns.svc:8080/"}


def test_settings_have_the_pods_defaults() -> None:
    settings = load(ENVIRONMENT)
    assert (settings.redis_host, settings.redis_port, settings.redis_database) == ("r", 6380, 2)
    assert str(settings.redis_password_file) == "/var/run/algo/redis/password"
    assert str(settings.token_file) == "/var/run/algo/token/token"
    assert settings.health_port == 8081
    assert settings.crash_dir is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"STRATEGY_ID": ""}, "STRATEGY_ID is not set"),
        ({"REDIS_URL": "http://r"}, "REDIS_URL must look like"),
        ({"REDIS_URL": "redis://u:p@r:6379/0"}, "without user and password"),
        ({"GATEWAY_URL": "http://gw"}, "GATEWAY_URL must begin with ws://"),
        ({"HEALTH_PORT": "many"}, "HEALTH_PORT must hold a number"),
    ],
)
def test_settings_say_what_is_wrong(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(ENVIRONMENT | change)


def test_token_names_the_way_to_the_gateway_and_stays_secret(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(make_token(7) + "\n")
    token = read_token(file, STRATEGY)
    assert token.claims.epoch == 7
    expected = "ws://gw-paper.ns.svc:8080/runner?exchange=NSE&symbol=RELIANCE&product=Intraday"
    assert runner_url(load(ENVIRONMENT), token.claims) == expected
    assert token.text not in repr(token)


@given(st.text(max_size=80))
def test_any_other_text_is_no_token(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(SettingsError):
        read_token(file, STRATEGY)


def test_token_of_another_strategy_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(make_token(7))
    with pytest.raises(SettingsError, match="STRATEGY_ID is str_other"):
        read_token(file, "str_other")


@given(st.lists(st.tuples(st.sampled_from(["message", "pass"]), st.integers(0, 10_000)), max_size=40), st.booleans())
def test_session_time_never_runs_backwards(steps: list[tuple[str, int]], own_clock: bool) -> None:
    wall = 0.0
    clock = SessionClock(monotonic=lambda: wall, wall=lambda: wall, own_clock=own_clock)
    last = 0
    for kind, number in steps:
        if kind == "message":
            now = clock.observe(number)
            assert not own_clock or now == max(last, number)
        else:
            wall += number / 1000
            before = last
            now = clock.now()
            assert not own_clock or now == before, "a replayed market stands still between its messages"
        assert now >= last
        last = now


def _order(tag: str, status: OrderStatus, wall: int) -> OrderEvent:
    order = OrderView(
        tag=tag,
        leg=Leg.STOP,
        side=Side.SELL,
        type=OrderType.LIMIT,
        price=1,
        quantity=1,
        status=status,
        time=1,
        wall_time=0,
    )
    return OrderEvent(time=1, wall_time=wall, order=order)


def _view(*tags: str) -> StrategyView:
    orders = tuple(_order(tag, OrderStatus.OPEN, 0).order for tag in tags)
    return StrategyView(
        strategy_id="str", epoch=1, generation=1, day="", now=1, phase=Phase.WAITING, reason="", message="",
        conditions={}, orders=orders,
    )  # fmt: skip


def _walls(times: OrderTimes, *tags: str) -> list[int]:
    return [order.wall_time for order in times.filled(_view(*tags)).orders]


def test_an_order_keeps_the_wall_time_at_which_it_was_sent() -> None:
    times = OrderTimes()
    times.observe(_order("one", OrderStatus.SENT, 1_700_000_000_123))
    times.observe(_order("one", OrderStatus.OPEN, 1_700_000_000_456))
    times.observe(_order("one", OrderStatus.SENT, 1_700_000_000_789))
    times.observe(AlertEvent(time=1, wall_time=5, severity="info", code="X", message=""))
    assert _walls(times, "one", "never told") == [1_700_000_000_123, 0]
    again = OrderTimes(times.text(), ["one"])
    again.observe(_order("one", OrderStatus.SENT, 1_800_000_000_000))
    assert _walls(again, "one") == [1_700_000_000_123]
    again.keep(["two"])
    assert _walls(again, "one") == [0]


@pytest.mark.parametrize("kept", [None, b"", b"not json", b'{"one": "x"}', b"[]", b"\xff", b'{"\xff": 1}'])
def test_an_order_that_nobody_saw_made_has_no_wall_time(kept: bytes | None) -> None:
    times = OrderTimes(kept, ["one"])
    times.observe(_order("one", OrderStatus.SENT, 1_700_000_000_000))  # its acceptance, after a restart
    times.observe(_order("found", OrderStatus.OPEN, 1_700_000_000_000))
    times.observe(_order("found", OrderStatus.SENT, 1_700_000_000_001))
    assert _walls(times, "one", "found") == [0, 0]


class _Store:
    """A fence whose answers the test chooses."""

    def __init__(self) -> None:
        self.written: list[tuple[str, tuple[Command, ...]]] = []
        self.fails: list[Exception] = []

    async def write(self, commands: Sequence[Command], *, batch: str = "") -> None:
        await asyncio.sleep(0)
        self.written.append((batch, tuple(commands)))
        if self.fails:
            raise self.fails.pop(0)


def _spool(store: _Store, *, bound: int = 100) -> Spool:
    fence = Fence(epoch=1, write=store.write)
    return Spool(fence, notify=("PUBLISH", "c", "n"), is_connected=lambda: True, bound=bound)


async def test_spool_sends_the_same_batch_again_after_a_break() -> None:
    store = _Store()
    store.fails = [RedisAwayError("gone")]
    spool = _spool(store)
    spool.add(("XADD", "a"))
    await spool.flush()
    spool.add(("XADD", "b"))
    await spool.flush()
    assert store.written[0] == store.written[1], "same commands under the same id: the script does it once"
    assert store.written[2][1][0] == ("XADD", "b")
    assert len(spool) == 0


async def test_spool_keeps_order_and_notifies_once_a_batch() -> None:
    store = _Store()
    spool = _spool(store)
    for number in range(70):
        spool.add(("XADD", number))
    await spool.flush()
    written = [command for _, commands in store.written for command in commands]
    assert [command[1] for command in written if command[0] == "XADD"] == list(range(70))
    assert sum(command[0] == "PUBLISH" for command in written) == 2


async def test_spool_is_bounded_and_gives_up_what_matters_least() -> None:
    store = _Store()
    fence = Fence(epoch=1, write=store.write)
    spool = Spool(fence, notify=("PUBLISH", "c", "n"), is_connected=lambda: False, bound=4)
    spool.add(("journal",), keep=True)
    spool.add(("order", 1), replaces="order t")
    spool.add(("phase", 1))
    spool.add(("order", 2), replaces="order t")
    spool.add(("phase", 2))
    assert len(spool) == 4
    assert spool.lost == 0, "the older state of the same order went first"
    spool.add(("phase", 3))
    assert (len(spool), spool.lost) == (4, 1)
    kept = [command for command, _, _ in spool._entries.values()]
    assert kept == [("journal",), ("order", 2), ("phase", 2), ("phase", 3)]


async def test_spool_of_an_older_epoch_is_dropped() -> None:
    store = _Store()
    store.fails = [FencedError("FENCED")]
    spool = _spool(store)
    spool.add(("XADD", "a"))
    await spool.flush()
    assert len(spool) == 0


async def test_spool_counts_what_redis_refuses_and_goes_on() -> None:
    store = _Store()
    store.fails = [RedisRefusedError("OOM")]
    spool = _spool(store)
    spool.add(("XADD", "a"))
    await spool.flush()
    assert (len(spool), spool.lost) == (0, 1)


async def test_what_is_done_leaves_the_order_queue() -> None:
    store = _Store()
    spool = _spool(store)
    record = create_order_queue(spool, strategy_id=STRATEGY)
    for state in ("Waiting", "Done"):
        record(QueueEvent(time=1, wall_time=1, tag="t1", state=state, cause="Margin", message="", attempts=1))
    await spool.flush()
    commands = [command for _, batch in store.written for command in batch if command[0] != "PUBLISH"]
    assert [command[:3] for command in commands] == [
        ("HSET", keys.orders(STRATEGY), "t1"),
        ("HDEL", keys.orders(STRATEGY), "t1"),
    ]


@pytest.mark.looptime
async def test_a_lease_that_is_not_renewed_ends_by_the_runners_own_clock() -> None:
    store = _Store()
    told: list[tuple[bool, str]] = []
    changed = asyncio.Event()

    def on_change(writable: bool, reason: str) -> None:
        told.append((writable, reason))
        changed.set()

    fence = Fence(epoch=1, write=store.write)
    lease = Lease(fence, strategy_id=STRATEGY, constants=SHELL, on_change=on_change)
    running = asyncio.create_task(lease.run())
    try:
        async with asyncio.timeout(60):
            await changed.wait()
            changed.clear()
            store.fails = [RedisRefusedError("LOADING") for _ in range(100)]
            await changed.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert told == [(True, ""), (False, "LeaseNotRenewed")]
    refusals = 100 - len(store.fails)
    assert refusals == SHELL.self_fence_ms // SHELL.lease_renew_ms, "one refusal is no loss: the lease still holds"


def test_time_without_protection_is_summed_over_intervals() -> None:
    time = UnprotectedTime()
    time.observe(True, 1_000)
    time.observe(True, 1_500)
    assert time.read(2_000) == 1_000
    time.observe(False, 3_000)
    assert time.read(9_000) == 2_000
    time.observe(True, 10_000)
    assert time.read(10_250) == 2_250


@given(st.binary(max_size=200))
def test_any_request_gets_an_answer(request: bytes) -> None:
    answer = _answer(request, lambda: "", lambda: "")
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 404"))


def test_not_ready_says_why() -> None:
    answer = _answer(b"GET /readyz HTTP/1.1\r\n\r\n", lambda: "", lambda: "reconciling")
    assert answer.startswith(b"HTTP/1.1 503")
    assert answer.endswith(b"reconciling\n")


@pytest.mark.parametrize("name", ["command", "kind"])
def test_commands_of_the_stream(name: str) -> None:
    command = parse_command({name: "retry", "actor": "usr_a", "tag": "t"})
    assert command is not None
    assert (command.kind, command.actor, command.tag) == ("retry", "usr_a", "t")
    assert parse_command({name: "explode"}) is None


async def test_a_spec_of_another_strategy_or_no_spec_leaves_the_one_before_in_force() -> None:
    own = make_spec()
    in_redis: list[bytes | None] = [None]
    seen: list[RuntimeSpec] = []

    async def call(*_words: object) -> object:
        return in_redis[0]

    watch = SpecWatch(call, strategy_id=STRATEGY, on_spec=seen.append, on_command=lambda _command: None)
    foreign = replace(own, strategy_id="str_" + "z" * 26)
    for raw in (msgspec.json.encode(own), msgspec.json.encode(foreign), b"{", None, b"[]"):
        in_redis[0] = raw
        await watch.look()
    assert seen == [own]


async def test_a_notice_tells_of_more_than_figures_and_never_of_the_same_again() -> None:
    store = _Store()
    clock = SessionClock(lambda: 1.0, lambda: 1.0)
    states = StateStore(
        Fence(epoch=1, write=store.write),
        strategy_id=STRATEGY,
        clock=clock,
        unprotected=UnprotectedTime(),
        order_times=OrderTimes(),
        commands_id=lambda: "0-0",
        notify=("PUBLISH", "c", "n"),
    )
    state = initial(make_spec())

    async def told(*, tell: bool = True) -> bool:
        states.changed(state, tell)
        await states.flush(tell=tell)
        return ("PUBLISH", "c", "n") in store.written[-1][1]

    assert await told()
    assert not await told(), "a book that shows what was known is no news"
    state.market = replace(state.market, price=19_200_000)
    assert not await told()
    state.message = "waits for the buy time"
    assert not await told(tell=False)
    store.fails = [RedisAwayError("gone")]
    assert await told(), "what no notice has told yet"
    assert await told(), "nor has one that may not have arrived"
    assert not await told()
    states.poke()
    assert await told(), "Redis was away: whoever listened may have missed it"
