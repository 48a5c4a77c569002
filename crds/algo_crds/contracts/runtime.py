"""What passes between operator, runner, API and people through Redis: the spec in force, the view, the events.

All are msgspec structs in JSON; money is `Price` (integers) here and becomes decimal text at the edges (`.status`,
API).
"""

from enum import StrEnum
from typing import Final

import msgspec

from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Product, Side


class Phase(StrEnum):
    """Where a strategy stands, for people."""

    WAITING = "Waiting"
    BOUGHT = "Bought"
    SOLD = "Sold"
    STOPPED = "Stopped"
    FAILED = "Failed"


class Desired(StrEnum):
    """What the strategy shall do."""

    RUN = "Run"
    STOP_EXIT = "StopExit"
    STOP_KEEP = "StopKeep"


class ExitReason(StrEnum):
    """Why a position was closed."""

    STOP = "stop"
    SOFTWARE_STOP = "software_stop"
    TARGET = "target"
    TIME = "time"
    COMMAND = "command"
    KILL = "kill"
    DAY_LIMIT = "day_limit"
    UNSAFE = "unsafe"
    SESSION_END = "session_end"
    MANUAL = "manual"


class Level(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Exactly one form: an absolute price, a distance in basis points (1 % = 100) or points, from the average entry."""

    price: int | None = None
    bp: int | None = None
    points: int | None = None


class StrategySpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of a Strategy that the engine needs. Times are seconds of the exchange's day."""

    exchange: str
    symbol: str
    side: Side
    quantity: int
    buy_time: int
    sell_time: int
    stop_loss: Level
    target: Level | None = None
    trailing: Level | None = None
    trailing_step: Level | None = None
    product: Product = Product.INTRADAY
    live: bool = False
    repeat_daily: bool = True
    keep_on_stop: bool = False
    max_loss_per_day: int | None = None
    max_slippage_bp: int | None = None


class RuntimeSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Key `strategy:{id}:spec`."""

    strategy_id: str
    tenant_id: str
    name: str
    """Namespace/name of the resource."""
    generation: int
    spec: StrategySpec
    desired: Desired
    halts: tuple[str, ...] = ()
    """Reasons of the tenant's and account's halts in force; entries are refused and positions flattened."""
    deleting: bool = False
    force_second_sell: str = ""
    """Tag of a sell whose outcome stays unknown and that a person calls absent, at the risk of a second sell. It counts
    once; empty takes the word back."""


class ConditionView(msgspec.Struct, frozen=True, kw_only=True):
    """A condition of `.status`."""

    status: str
    """True, False or Unknown."""
    reason: str
    message: str = ""
    since: int = 0


class OrderView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order as people see it."""

    tag: str
    broker_order_id: str | None = None
    leg: Leg
    side: Side
    type: OrderType
    price: int
    trigger: int = 0
    quantity: int
    filled: int = 0
    average_price: int = 0
    status: OrderStatus
    message: str = ""
    time: int
    """In the view: when it was last sent or changed by us; in an event: when what is told happened (session time)."""
    wall_time: int
    """In the view: when it was made, 0 where nobody saw that; in an event: as `time`, by the wall clock."""


class StrategyView(msgspec.Struct, frozen=True, kw_only=True):
    """Field `view` of key `strategy:{id}:state`: all that `.status`, API and SSE show."""

    strategy_id: str
    epoch: int
    generation: int
    day: str
    now: int
    phase: Phase
    reason: str
    """Why this phase, in PascalCase (MissedEntryWindow, EntryRefused, StopHit, ...)."""
    message: str
    conditions: dict[str, ConditionView]
    held: int = 0
    entry_price: int = 0
    stop_price: int = 0
    target_price: int = 0
    exit_price: int = 0
    exit_reason: ExitReason | None = None
    last_price: int = 0
    last_tick: int = 0
    pnl: int = 0
    """Realised and unrealised of the day, in Price units."""
    orders: tuple[OrderView, ...] = ()
    protected_since: int = 0
    unprotected_ms: int = 0
    """Wall time outside `confirmed and armed` with a position."""
    unprotected_session_ms: int = 0
    ticks_seen: int = 0
    ticks_rejected: dict[str, int] = {}
    last_action: str = ""
    forced_tag: str = ""
    """`force_second_sell` as the runner has read it last: whatever it led to, it is dealt with."""
    errors: tuple[str, ...] = ()
    final: bool = False
    """The run of the day is over: every order final, flat or Failed."""


def without_figures(view: StrategyView) -> StrategyView:
    """What of a view is worth a notice at once: all but its clock, prices and counts, which move all the time."""
    return msgspec.structs.replace(
        view,
        now=0,
        ticks_seen=0,
        ticks_rejected={},
        last_price=0,
        last_tick=0,
        pnl=0,
        unprotected_ms=0,
        unprotected_session_ms=0,
    )


class _Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    time: int
    """Session time."""
    wall_time: int


class PhaseEvent(_Event, frozen=True, kw_only=True, tag="phase"):
    """The phase changed."""

    previous: Phase
    current: Phase
    reason: str
    message: str = ""


class ConditionEvent(_Event, frozen=True, kw_only=True, tag="condition"):
    """A condition changed."""

    name: str
    previous: str
    current: str
    reason: str
    message: str = ""


class OrderEvent(_Event, frozen=True, kw_only=True, tag="order"):
    """An order of ours changed."""

    order: OrderView


class FillEvent(_Event, frozen=True, kw_only=True, tag="fill"):
    """More of an order was filled (also a manual fill: tag empty)."""

    tag: str
    broker_order_id: str
    side: Side
    quantity: int
    """Newly filled."""
    price: int


class AlertEvent(_Event, frozen=True, kw_only=True, tag="alert"):
    """Something a person should read; `severity` is info, warning or critical."""

    severity: str
    code: str
    message: str


class QueueEvent(_Event, frozen=True, kw_only=True, tag="queue"):
    """An entry of the order queue was added, changed or removed."""

    tag: str
    state: str
    cause: str
    message: str
    attempts: int
    next_try: int = 0


class CommandEvent(_Event, frozen=True, kw_only=True, tag="command"):
    """Somebody asked for something (operator and API write these)."""

    actor: str
    command: str
    message: str = ""


StrategyEvent = PhaseEvent | ConditionEvent | OrderEvent | FillEvent | AlertEvent | QueueEvent | CommandEvent

EVENT_FIELD: Final = b"event"
"""The one field of an entry of `strategy:{id}:events`: a JSON `StrategyEvent`."""

EVENTS_MAXLEN: Final = 5_000

FORCED_MESSAGE: Final = "a person forced a second sell"
"""Message of an order that a person called absent: the operator tells by it what became of his word."""

encode: Final = msgspec.json.Encoder().encode
decode_spec: Final = msgspec.json.Decoder(RuntimeSpec).decode
decode_view: Final = msgspec.json.Decoder(StrategyView).decode
decode_event: Final = msgspec.json.Decoder(StrategyEvent).decode
