"""Entry: when, at what price, and every reason not to."""

import pytest
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus, Product, Side
from algo_crds.contracts.runtime import Desired, Level, Phase
from algo_runner.engine.actions import Intent, Journal, Queue
from algo_runner.engine.events import CommandKind, JournalHealth
from engine_setup import CAPABILITY, INSTRUMENT, SESSION, at, make_spec, rupees
from engine_world import Rig, bought, entries_of, started
from msgspec.structs import replace


def at_buy_time(**changes: object) -> Rig:
    rig = started(now=at("09:19:50"), **changes)
    rig.until("09:20:02")
    return rig


def refused(rig: Rig, reason: str) -> None:
    assert not rig.legs(Leg.ENTRY)
    assert (rig.view.phase, rig.view.reason) == (Phase.WAITING, reason), rig.view.message
    assert rig.view.message


def test_a_start_after_the_window_skips_the_day() -> None:
    rig = started(now=at("09:21:00"))
    rig.until("09:21:02")
    refused(rig, "MissedEntryWindow")
    assert rig.view.final


def test_a_start_inside_the_window_enters() -> None:
    rig = started(now=at("09:20:59"))
    rig.until("09:21:00")
    assert not rig.legs(Leg.ENTRY)  # the first tick comes as the window closes
    rig = started(now=at("09:20:50"))
    rig.until("09:20:52")
    assert rig.held == 10


def test_what_is_unfilled_after_the_timeout_is_cancelled_and_the_rest_held() -> None:
    rig = started(now=at("09:19:50"), liquidity=3)
    rig.until("09:20:00")
    rig.liquidity = 0
    rig.until("09:20:04")
    assert rig.legs(Leg.ENTRY)[0].status is OrderStatus.OPEN
    rig.until("09:20:06")
    assert rig.legs(Leg.ENTRY)[0].status is OrderStatus.CANCELLED
    assert rig.held == 6
    assert rig.stop.quantity == 6
    assert rig.condition("Protected") == "True"


def test_nothing_filled_ends_the_run() -> None:
    rig = started(now=at("09:19:50"), liquidity=0)
    rig.until("09:20:08")
    assert (rig.view.phase, rig.view.reason, rig.view.final) == (Phase.WAITING, "EntryUnfilled", True)


def test_the_limit_is_capped_by_the_permitted_slippage() -> None:
    rig = at_buy_time(spec=make_spec(max_slippage_bp=5))
    assert rig.legs(Leg.ENTRY)[0].price == rupees(2001)


def test_the_limit_stays_inside_the_band() -> None:
    rig = at_buy_time(instrument=replace(INSTRUMENT, band_high=rupees(2002.02)))
    assert rig.legs(Leg.ENTRY)[0].price == rupees(2002)


def test_price_at_or_beyond_the_stop() -> None:
    refused(at_buy_time(spec=make_spec(stop_loss=Level(price=rupees(2000)))), "PriceBeyondStop")


def test_stale_feed() -> None:
    rig = started(now=at("09:19:50"))
    rig.until("09:19:56")
    rig.feed_on = False
    rig.until("09:20:02")
    refused(rig, "FeedStale")
    rig.feed_on = True
    rig.until("09:20:04")
    assert rig.held == 10


def test_session_expired_and_too_short() -> None:
    rig = started(now=at("09:19:50"))
    rig.session_until = 0
    rig.feed(rig.health())
    rig.until("09:20:02")
    refused(rig, "SessionExpired")
    rig.session_until = at("15:45:00")
    rig.feed(rig.health())
    rig.until("09:20:04")
    refused(rig, "SessionTooShort")


def test_lot_and_freeze_quantity() -> None:
    refused(at_buy_time(instrument=replace(INSTRUMENT, lot=25)), "LotSize")
    refused(at_buy_time(instrument=replace(INSTRUMENT, freeze_quantity=9)), "FreezeQuantity")


def test_market_closed() -> None:
    late = replace(SESSION, last_new_order=at("09:19:55"))
    rig = at_buy_time(session=late)
    refused(rig, "MarketClosed")


def test_day_loss_limit_blocks_a_second_run() -> None:
    rig = bought(spec=make_spec(max_loss_per_day=10 * rupees(15)))
    rig.tick(rupees(1984))
    rig.advance(2000)
    assert rig.view.exit_reason == "day_limit"
    rig.change(buy_time=at_seconds("09:30:00"))
    rig.command(CommandKind.START)
    rig.until("09:30:02")
    assert len(rig.legs(Leg.ENTRY)) == 1
    assert rig.view.reason == "DayLossLimit"


def at_seconds(text: str) -> int:
    return (at(text) - at("00:00:00")) // 1000


def test_stop_outside_the_band_or_gap() -> None:
    refused(at_buy_time(instrument=replace(INSTRUMENT, band_low=rupees(1985))), "StopOutsideBand")


def test_position_of_somebody_else() -> None:
    rig = started(now=at("09:19:50"))
    rig.by_hand(5, Side.BUY)
    rig.until("09:20:02")
    refused(rig, "PositionNotOurs")


def test_clock_skew() -> None:
    rig = started(now=at("09:19:50"))
    while rig.now < at("09:20:02"):
        rig.advance(1000)
        rig.tick(rupees(2000), time=rig.now - 4000)
    refused(rig, "ClockSkew")


def test_halt_and_breaker() -> None:
    rig = started(now=at("09:19:50"))
    rig.halted = True
    rig.feed(rig.health())
    rig.until("09:20:02")
    refused(rig, "Halted")
    rig.feed(rig.health(halted=False, breaker_open=True))
    rig.until("09:20:04")
    refused(rig, "BreakerOpen")


def test_a_door_that_does_not_know_the_halts_yet_is_not_ready_and_says_so() -> None:
    rig = Rig(now=at("09:19:00"))
    rig.halted = True
    rig.connect()
    rig.until("09:19:10")
    assert rig.condition("Ready") == "False"
    assert rig.state.conditions["Ready"].reason == "DoorClosed"
    rig.feed(rig.health(halted=False))
    assert rig.condition("Ready") == "True"


def test_a_runner_that_cannot_journal_enters_nothing() -> None:
    rig = started(now=at("09:19:50"))
    rig.feed(JournalHealth(writable=False))
    rig.until("09:20:02")
    refused(rig, "JournalUnavailable")


@pytest.mark.parametrize(
    "changes",
    [{"trailing": Level(bp=50)}, {"product": Product.DELIVERY}, {"stop_loss": Level(bp=100, points=5)}],
)
def test_what_is_not_supported_is_refused_with_the_reason(changes: dict[str, object]) -> None:
    rig = at_buy_time(spec=make_spec(**changes))
    refused(rig, "SpecUnsupported")
    assert rig.condition("Ready") == "False"


def test_entries_need_positions_read_too() -> None:
    rig = Rig(now=at("09:19:50"))
    rig.connect()
    rig.state.positions_at = 0
    rig.state.next_positions_at = at("23:00:00")
    rig.state.positions_asked_at = at("23:00:00")
    rig.until("09:20:02")
    refused(rig, "Reconciling")


def test_a_retryable_refusal_is_tried_again_inside_the_window_under_a_new_attempt() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].append("door:Rate")
    rig.until("09:20:03")
    intents = [entry.tag[-4:] for entry in entries_of(rig.journal) if entry.leg is Leg.ENTRY]
    assert intents == ["e001", "e002"]
    assert rig.held == 10


def test_margin_ends_the_run() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].append("order:Margin")
    rig.until("09:21:30")
    refused(rig, "EntryRejected")
    assert rig.view.final


def test_a_discarded_entry_leaves_the_queue_also_one_of_an_earlier_day() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].append("lost")
    rig.until("09:20:02")
    (waiting,) = rig.sent(Queue)
    for tag in (waiting.tag, "a00000000000e001"):
        rig.actions.clear()
        rig.command(CommandKind.DISCARD, tag=tag)
        assert [(entry.tag, entry.state) for entry in rig.sent(Queue)] == [(tag, "Done")]


def test_never_sent_again_once_unknown() -> None:
    rig = started(now=at("09:19:50"))
    rig.script["place"].append("lost")
    rig.until("09:21:30")
    assert not rig.legs(Leg.ENTRY)
    assert len([e for e in entries_of(rig.journal) if e.leg is Leg.ENTRY]) == 1
    rig.command(CommandKind.RETRY)
    rig.change(buy_time=at_seconds("09:25:00"))
    rig.command(CommandKind.START)
    rig.until("09:26:30")
    assert len([e for e in entries_of(rig.journal) if e.leg is Leg.ENTRY]) == 1


def test_an_unknown_entry_that_was_done_is_adopted() -> None:
    rig = started(now=at("09:19:50"), rows_lost=True)
    rig.script["place"].append("done")
    rig.until("09:20:03")
    rig.rows_lost = False
    rig.until("09:20:05")
    assert rig.held == 10
    assert rig.condition("Protected") == "True"


def test_intent_is_journaled_right_before_the_entry() -> None:
    rig = bought()
    places = [i for i, a in enumerate(rig.actions) if isinstance(a, wire.Place) and a.leg is Leg.ENTRY]
    for index in places:
        before = rig.actions[index - 1]
        assert isinstance(before, Journal)
        assert before.before_send
        assert isinstance(before.entry, Intent)
        assert before.entry.epoch == rig.epoch


def test_stop_while_entering_cancels_and_sells_what_fills() -> None:
    rig = started(now=at("09:19:50"), liquidity=0)
    rig.until("09:20:01")
    rig.change(desired=Desired.STOP_EXIT)
    rig.advance(1000)
    assert rig.legs(Leg.ENTRY)[0].status is OrderStatus.CANCELLED
    assert rig.view.phase is Phase.STOPPED


def test_short_selling_needs_the_broker_to_take_it() -> None:
    rig = at_buy_time(spec=make_spec(side=Side.SELL), capability=replace(CAPABILITY, short=False))
    refused(rig, "ShortRefused")


def test_short_mirrors() -> None:
    rig = at_buy_time(spec=make_spec(side=Side.SELL))
    assert rig.legs(Leg.ENTRY)[0].price == rupees(1996)
    assert (rig.stop.side, rig.stop.trigger, rig.stop.price) == (Side.BUY, rupees(2020), rupees(2030.10))
    rig.tick(rupees(2021))
    rig.advance(0)
    assert (rig.view.phase, rig.view.exit_reason, rig.true_held) == (Phase.SOLD, "stop", 0)
    assert rig.view.pnl == -10 * rupees(21)


def test_once_has_one_run() -> None:
    rig = started(now=at("09:19:50"), spec=make_spec(repeat_daily=False))
    rig.until("09:20:02")
    rig.tick(rupees(1979))
    rig.advance(0)
    assert rig.view.final
    tomorrow = replace(
        SESSION,
        day="2021-04-13",
        open=SESSION.open + 86_400_000,
        last_new_order=SESSION.last_new_order + 86_400_000,
        end_of_stops=SESSION.end_of_stops + 86_400_000,
        last_match=SESSION.last_match + 86_400_000,
    )
    rig.deals.clear()
    rig.now = tomorrow.open
    rig.session = tomorrow
    rig.session_until += 86_400_000
    rig.feed(wire.SessionChanged(now=rig.now, instrument=INSTRUMENT, session=tomorrow))
    rig.feed(rig.health())
    rig.settle()
    rig.run_until(at("09:20:05") + 86_400_000, lambda: rupees(2000))
    assert not rig.deals


def test_daily_waits_for_the_next_day_and_enters_again() -> None:
    rig = bought()
    rig.tick(rupees(1979))
    rig.advance(0)
    tomorrow = replace(
        SESSION,
        day="2021-04-13",
        open=SESSION.open + 86_400_000,
        last_new_order=SESSION.last_new_order + 86_400_000,
        end_of_stops=SESSION.end_of_stops + 86_400_000,
        last_match=SESSION.last_match + 86_400_000,
    )
    rig.deals.clear()
    rig.now = tomorrow.open
    rig.session = tomorrow
    rig.session_until += 86_400_000
    rig.feed(rig.health())
    rig.feed(wire.SessionChanged(now=rig.now, instrument=INSTRUMENT, session=tomorrow))
    rig.settle()
    assert rig.view.phase is Phase.WAITING
    rig.run_until(at("09:20:05") + 86_400_000, lambda: rupees(2000))
    assert rig.held == 10
    assert rig.view.day == "2021-04-13"
