"""A day under arbitrary operations (`engine_ops`).

The harness checks the beliefs after every step; `Day.check` adds the broker's truth, `Day.finish` the end of the day:
flat or Failed.
"""

from dataclasses import dataclass, field
from typing import Any

from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Side
from algo_crds.contracts.runtime import Desired, Level, Phase
from algo_runner.engine.events import CommandKind, JournalHealth
from algo_runner.engine.state import snapshot
from engine_ops import Op, faults, liquidities
from engine_setup import CAPABILITY, SESSION, at, make_spec, rupees
from engine_world import Rig
from hypothesis import strategies as st
from msgspec.structs import replace

SHORT_DAY = replace(SESSION, last_new_order=at("09:40:00"), end_of_stops=at("09:50:00"), last_match=at("09:50:00"))
KEPT_SNAPSHOTS = 4
PERCENT = Level(bp=100)


@dataclass
class Day:
    """A rig, and whether something happened after which the broker's truth may exceed what anybody could prevent."""

    rig: Rig
    tainted: bool = False
    snapshots: list[tuple[bytes, int]] = field(default_factory=list)
    """Of before the last operations, each with the length of the journal then."""

    def apply(self, op: Op) -> None:
        self.snapshots = [*self.snapshots, (snapshot(self.rig.state), len(self.rig.journal))][-KEPT_SNAPSHOTS:]
        getattr(self, f"do_{op[0]}")(*op[1:])
        self.rig.settle()
        self.check()

    def check(self) -> None:
        rig = self.rig
        if self.tainted:
            return
        assert rig.true_held >= 0, rig.describe()
        assert rig.true_working <= rig.true_held, rig.describe()
        live = [deal for deal in rig.legs(Leg.ENTRY) if deal.live]
        assert len(live) <= 1, rig.describe()
        assert rig.true_held <= rig.spec.spec.quantity, rig.describe()

    def do_tick(self, move: int) -> None:
        rig = self.rig
        price = min(max(rig.price + move * rupees(1), rig.instrument.band_low), rig.instrument.band_high)
        rig.advance(1000 - rig.now % 1000)
        rig.tick(price)

    def do_wait(self, ms: int) -> None:
        self.rig.advance(ms)

    def do_liquidity(self, count: int | None) -> None:
        self.rig.liquidity = count

    def do_feed(self, on: bool) -> None:
        self.rig.feed_on = on

    def do_strange_tick(self, kind: str) -> None:
        rig = self.rig
        second = rig.now // 1000 * 1000
        values: dict[str, Any] = {
            "now": rig.now,
            "price": rupees(1850),
            "time": second,
            "volume": rig.volume,
            "source": "src",
        }
        strange: dict[str, dict[str, Any]] = {
            "1970": {"time": 5_000},
            "saturday": {"time": second + 5 * 86_400_000},
            "back": {"time": second - 60_000},
            "repeat": {
                "price": rig.state.market.price,
                "time": rig.state.market.time,
                "volume": rig.state.market.volume,
            },
            "band": {"price": rupees(1500)},
            "zero": {"price": 0},
            "source": {"source": "other"},
        }
        rig.feed(wire.Tick(**(values | strange[kind])))

    def do_script(self, call: str, outcome: str) -> None:
        self.rig.script[call].append(outcome)

    def do_provoke(self, call: str, outcome: str, seconds: int) -> None:
        """Something that the engine answers with this call: a stop that vanished, that was loosened, or an exit."""
        self.do_script(call, outcome)
        if call == "place":
            self.do_hand_cancel(-1)
        elif call == "modify":
            self.do_hand_stop(-10, 0)
        else:
            self.do_desired(Desired.STOP_EXIT)
        self.rig.run_until(self.rig.now + seconds * 1000, lambda: self.rig.price)

    def do_appears(self) -> None:
        """A stop that the broker hides for longer than it promises: it is called absent, and comes back."""
        rig = self.rig
        self.tainted = rig.expect_oversell = True
        rig.visible_delay = 60_000
        self.do_script("place", "done")
        for deal in [deal for deal in rig.legs(Leg.STOP) if deal.live]:
            deal.status = OrderStatus.CANCELLED
            rig.tell(deal)
        rig.rows_lost = True
        rig.run_until(rig.now + 30_000, lambda: rig.price)
        rig.visible_delay = 0
        self.do_rows_lost(False)
        rig.run_until(rig.now + 40_000, lambda: rig.price)

    def do_sell_time(self) -> None:
        """The exit comes due, if it has not been due before."""
        rig = self.rig
        rig.run_until(max(rig.now, at("09:29:58")), lambda: rig.price)

    def do_latency(self, ms: int) -> None:
        self.rig.latency = ms

    def do_row_delay(self, ms: int) -> None:
        self.rig.row_delay = ms

    def do_rows_lost(self, lost: bool) -> None:
        rig = self.rig
        was, rig.rows_lost = rig.rows_lost, lost
        if was and not lost and rig.connected:
            rig.feed(wire.UpdatesGap(now=rig.now))

    def do_visible(self, ms: int) -> None:
        self.rig.visible_delay = ms

    def do_band(self, low: int) -> None:
        rig = self.rig
        rig.instrument = replace(rig.instrument, band_low=rupees(low), band_high=rupees(4000 - low))
        if rig.connected:
            rig.feed(wire.SessionChanged(now=rig.now, instrument=rig.instrument, session=rig.session))

    def do_book_down(self, down: bool) -> None:
        self.rig.book_down = down

    def do_old_row(self, index: int) -> None:
        rig = self.rig
        if rig.deals and rig.connected:
            deal = rig.deals[index % len(rig.deals)]
            rig.feed(wire.Row(now=rig.now, seq=0, row=rig.row(deal)))

    def do_odd_row(self, index: int, kind: str) -> None:
        rig = self.rig
        if not rig.deals or not rig.connected:
            return
        deal = rig.deals[index % len(rig.deals)]
        changes: dict[str, Any] = {
            "live": {"status": OrderStatus.OPEN, "read_at": deal.time},
            "smaller": {"filled": 0, "average_price": 0, "status": OrderStatus.OPEN, "read_at": deal.time},
            "filled0": {"status": OrderStatus.FILLED, "filled": 0, "read_at": deal.time},
            "cancelled_old": {"status": OrderStatus.PENDING, "read_at": deal.time},
        }[kind]
        rig.feed(wire.Row(now=rig.now, seq=0, row=rig.row(deal, **changes)))

    def do_late_row(self, index: int, as_new: bool) -> None:
        """What the broker said before comes (again) now; `as_new`: by the socket, which stamps what arrives."""
        rig = self.rig
        if rig.told and rig.connected:
            row = rig.told[index % len(rig.told)]
            rig.feed(wire.Row(now=rig.now, seq=0, row=replace(row, read_at=rig.now) if as_new else row))

    def do_periodic_book(self) -> None:
        if self.rig.connected:
            self.rig.feed(self.rig.book())

    def do_session(self, valid: bool) -> None:
        rig = self.rig
        rig.session_until = at("23:59:00") if valid else 0
        if rig.connected:
            rig.feed(rig.health())

    def do_halted(self, halted: bool) -> None:
        self.rig.halted = halted
        if self.rig.connected:
            self.rig.feed(self.rig.health())

    def do_breaker(self, opened: bool) -> None:
        if self.rig.connected:
            self.rig.feed(self.rig.health(breaker_open=opened))

    def do_hand_cancel(self, index: int) -> None:
        live = [deal for deal in self.rig.deals if deal.live]
        if live:
            deal = live[index % len(live)]
            leg = next((leg for leg in Leg if deal in self.rig.legs(leg)), None)
            self.rig.met.add(f"hand: cancelled the {'stop' if leg is Leg.STOP else 'exit'}")
            self.rig.cancel_by_hand(deal)

    def do_exchange_cancel(self) -> None:
        for deal in self.rig.legs(Leg.STOP):
            if deal.live:
                self.rig.cancel_by_hand(deal)

    def do_hand_sell(self, quantity: int) -> None:
        rig = self.rig
        quantity = min(quantity, max(rig.true_held, 0))
        if quantity:
            rig.met.add("hand: sold")
            self.tainted = True  # between the hand's fill and our cut both may sell
            rig.expect_oversell = True
            rig.by_hand(quantity)

    def do_hand_buy(self, quantity: int) -> None:
        self.tainted = True
        self.rig.met.add("hand: bought")
        self.rig.by_hand(quantity, self.rig.spec.spec.side)

    def do_hand_stop(self, move: int, shares: int) -> None:
        rig = self.rig
        sign = 1 if rig.spec.spec.side is Side.BUY else -1
        for deal in rig.legs(Leg.STOP):
            if deal.status is OrderStatus.TRIGGER_PENDING and deal.type is OrderType.STOP_LIMIT:
                rig.met.add("hand: moved the stop")
                deal.trigger += sign * move * rupees(1)
                deal.price += sign * move * rupees(1)
                deal.quantity = max(deal.quantity + shares, deal.filled + 1)
                rig.tell(deal)

    def do_desired(self, desired: Desired) -> None:
        self.rig.change(desired=desired)

    def do_command(self, kind: CommandKind) -> None:
        self.rig.command(kind)

    def do_halts(self, halts: tuple[str, ...]) -> None:
        self.rig.change(halts=halts)

    def do_stop_loss(self, bp: int) -> None:
        self.rig.change(stop_loss=Level(bp=bp))

    def do_journal(self, writable: bool) -> None:
        self.rig.feed(JournalHealth(writable=writable))

    def do_restart(self, how: str) -> None:
        """`old`: from a snapshot of some operations ago and the whole journal; `lagging`: the journal knows no sell
        since then either (only entries wait for it)."""
        data, length = self.snapshots[0]
        self.rig.met.add(f"restart: {how}")
        if how in ("old", "lagging"):
            self.rig.restart_from(data, length if how == "lagging" else None)
        else:
            self.rig.restart(how)

    def do_reconnect(self) -> None:
        if self.rig.connected:
            self.rig.disconnect()
        self.rig.connect()

    def do_disconnect(self) -> None:
        if self.rig.connected:
            self.rig.disconnect()

    def do_gap(self) -> None:
        if self.rig.connected:
            self.rig.feed(wire.UpdatesGap(now=self.rig.now))

    def heal(self) -> None:
        """Faults end: whatever happened, the rest of the day must go well."""
        rig = self.rig
        rig.liquidity = None
        rig.visible_delay = 0
        rig.feed_on = True
        rig.latency = rig.row_delay = 0
        rig.rows_lost = rig.book_down = False
        rig.session_until = at("23:59:00")
        for script in rig.script.values():
            script.clear()
        if not rig.connected:
            rig.connect()
        rig.feed(rig.health())
        rig.feed(wire.UpdatesGap(now=rig.now))
        rig.settle()
        self.check()

    def finish(self) -> None:
        """The rest of the day, and what must be true at its end."""
        rig = self.rig
        self.heal()
        while rig.now < SHORT_DAY.last_match:
            rig.advance(5000 - rig.now % 5000)
            rig.tick(rig.price)
            self.check()
        rig.close()
        rig.advance(120_000)
        ended = rig.view
        assert not [deal for deal in rig.deals if deal.live]
        if self.tainted:
            assert ended.phase is not Phase.BOUGHT, rig.describe()
            return
        assert rig.held == rig.true_held, rig.describe()
        assert rig.true_held == 0 or ended.phase is Phase.FAILED, rig.describe()
        assert ended.phase in (Phase.WAITING, Phase.SOLD, Phase.STOPPED, Phase.FAILED), rig.describe()


CAPABILITIES = {
    "zerodha": CAPABILITY,
    "no_convert": replace(CAPABILITY, convert_stop_to_exit=False),
    "no_status": replace(CAPABILITY, has_trigger_status=False, visibility_delay_ms=5_000),
    "remainder": replace(CAPABILITY, modify_quantity_is_total=False, max_modifications=6),
    "remainder_no_status": replace(CAPABILITY, modify_quantity_is_total=False, has_trigger_status=False),
}


def begin(side: Side, broker: str, start: str, **spec: Any) -> Day:
    values: dict[str, Any] = {"side": side, "sell_time": 9 * 3600 + 30 * 60, "target": Level(bp=200)}
    rig = Rig(spec=make_spec(**(values | spec)), capability=CAPABILITIES[broker], session=SHORT_DAY, now=at(start))
    rig.connect()
    rig.advance(0)
    return Day(rig)


def day_of(
    side: Side,
    broker: str,
    held: bool,
    wrong: list[tuple[str, str]],
    liquidity: int | None = None,
    level: Level = PERCENT,
) -> Day:
    """A day a second before its entry, or with the entry filled and the stop resting; `wrong` waits for its calls."""
    day = begin(side, broker, "09:19:50" if held else "09:19:57", stop_loss=level)
    day.rig.until("09:20:02" if held else "09:19:59")
    day.check()
    day.rig.liquidity = liquidity
    for call, outcome in wrong:
        day.do_script(call, outcome)
    return day


days = st.builds(
    day_of,
    st.sampled_from(list(Side)),
    st.sampled_from(sorted(CAPABILITIES)),
    st.sampled_from([True, True, False]),
    faults,
    liquidities,
)
"""Mostly with a position: that is what there is to lose."""
