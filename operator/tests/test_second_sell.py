"""A person's word on an unknown sell: checked, passed to the runner, told, and taken off the resource."""

from datetime import date

import pytest
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Side
from algo_crds.contracts.runtime import FORCED_MESSAGE, OrderView, Phase, decode_spec
from algo_crds.contracts.tags import make_tag, strategy_hash
from algo_operator.vocabulary import EVENT, STRATEGY, Key

from .conftest import Desk
from .house import House

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]
WORD = "algo.trading/force-second-sell"


def stop(tag: str, status: OrderStatus, message: str = "") -> OrderView:
    return OrderView(
        tag=tag,
        leg=Leg.STOP,
        side=Side.SELL,
        type=OrderType.STOP_LIMIT,
        price=19_700_000,
        trigger=19_800_000,
        quantity=10,
        status=status,
        message=message,
        time=1_618_200_000_000,
        wall_time=0,
    )


class Doubt:
    """A strategy that holds ten shares and does not know what became of its stop."""

    def __init__(self, house: House, key: Key, strategy_id: str) -> None:
        self.house = house
        self.key = key
        self.strategy_id = strategy_id
        self.tag = self.tag_of(Leg.STOP)

    def tag_of(self, leg: Leg, strategy_id: str = "") -> str:
        return make_tag(strategy_hash(strategy_id or self.strategy_id), date(2021, 4, 12), leg, 2)

    async def runner_says(self, status: OrderStatus, *, message: str = "", forced: str = "", lag: int = 0) -> None:
        epoch = (await self.house.status())["runner"]["epoch"] - lag
        orders = (stop(self.tag, status, message),)
        await self.house.tell(
            self.key, held=10, phase=Phase.BOUGHT, orders=orders, forced_tag=forced, epoch=epoch, reason="Holding"
        )

    async def say(self, word: str) -> None:
        patch = {"metadata": {"annotations": {WORD: word}}}
        await self.house.desk.cluster.patch(STRATEGY, self.house.namespace, "one", patch)
        await self.settle()

    async def settle(self) -> None:
        await self.house.desk.settle(self.key, passes=1)

    async def word(self) -> str | None:
        """What the resource says."""
        found: str | None = (await self.house.get(STRATEGY, "one"))["metadata"].get("annotations", {}).get(WORD)
        return found

    async def passed_on(self) -> str:
        """What the runner is told."""
        return decode_spec(await self.house.spec_of(self.strategy_id)).force_second_sell

    async def events(self) -> list[tuple[str, str, str]]:
        events = await self.house.desk.cluster.list(EVENT, self.house.namespace)
        return [
            (one["type"], one["reason"], one["message"])
            for one in events
            if one["reason"] in ("NothingForced", "SecondSellForced")
        ]


@pytest.fixture
async def doubt(desk: Desk) -> Doubt:
    house = House(desk)
    await house.open()
    key = await house.strategy()
    await desk.settle(key, passes=1)
    await house.run_pod("run-one")
    made = Doubt(house, key, (await house.status())["strategyId"])
    await made.runner_says(OrderStatus.UNKNOWN)
    await made.settle()
    return made


async def test_the_word_reaches_the_runner_and_goes_when_it_was_read(doubt: Doubt) -> None:
    assert await doubt.passed_on() == ""
    (order,) = (await doubt.house.status())["orders"]
    assert (order["tag"], order["status"], "wallTime" in order) == (doubt.tag, "Unknown", False)
    await doubt.say(f" {doubt.tag.upper()} ")  # some brokers show tags in capitals
    assert (await doubt.passed_on(), await doubt.events()) == (doubt.tag, [])
    await doubt.settle()
    assert await doubt.word() is not None, "it stands until the runner has read it"
    await doubt.runner_says(OrderStatus.NOT_SENT, message=FORCED_MESSAGE, forced=doubt.tag)
    await doubt.settle()
    assert (await doubt.word(), await doubt.passed_on()) == (None, "")
    ((kind, reason, message),) = await doubt.events()
    assert (kind, reason, doubt.tag in message) == ("Warning", "SecondSellForced", True)
    writes = len(doubt.house.desk.recorder.writes)
    await doubt.runner_says(OrderStatus.NOT_SENT, message=FORCED_MESSAGE)
    await doubt.settle()
    await doubt.settle()
    assert len(await doubt.events()) == 1
    assert doubt.house.desk.recorder.writes[writes:].count("patch Strategy") == 0


@pytest.mark.parametrize("passed_first", [False, True])
async def test_a_word_that_forced_nothing_says_so_and_what_to_do(doubt: Doubt, passed_first: bool) -> None:
    status = OrderStatus.UNKNOWN if passed_first else OrderStatus.TRIGGER_PENDING
    await doubt.say(doubt.tag)
    await doubt.runner_says(status, forced=doubt.tag)
    await doubt.settle()
    ((kind, reason, message),) = await doubt.events()
    assert (kind, reason) == ("Warning", "NothingForced")
    assert ("set algo.trading/force-second-sell again" in message) is passed_first
    assert ("is TriggerPending" in message) is not passed_first
    assert (await doubt.word(), await doubt.passed_on()) == (None, "")


async def test_what_an_older_runner_has_read_is_no_answer(doubt: Doubt) -> None:
    await doubt.runner_says(OrderStatus.UNKNOWN, forced=doubt.tag, lag=1)
    await doubt.say(doubt.tag)
    assert (await doubt.word(), await doubt.passed_on()) == (doubt.tag, doubt.tag)


@pytest.mark.parametrize("wrong", ["", "yes", "an entry", "of another strategy", "a\nb", "a" * 300])
async def test_a_word_that_names_no_sell_of_the_strategy_never_reaches_the_runner(doubt: Doubt, wrong: str) -> None:
    word = {
        "an entry": doubt.tag_of(Leg.ENTRY),
        "of another strategy": doubt.tag_of(Leg.STOP, "str_01hzy3v5k2m8n4p6q7r8s9t0zz"),
    }.get(wrong, wrong)
    await doubt.say(word)
    assert (await doubt.word(), await doubt.passed_on()) == (None, "")
    ((kind, reason, message),) = await doubt.events()
    assert (kind, reason) == ("Warning", "NothingForced")
    assert "set the annotation to the tag of the order with status Unknown in .status.orders" in message


async def test_the_word_is_told_again_to_a_redis_that_was_emptied(doubt: Doubt) -> None:
    await doubt.say(doubt.tag)
    await doubt.house.desk.redis.flushall()
    await doubt.settle()
    assert (await doubt.word(), await doubt.passed_on()) == (doubt.tag, doubt.tag)
