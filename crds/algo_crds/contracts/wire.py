"""The one connection between a runner and its gateway: every message, both ways.

WebSocket binary frames, one msgspec-JSON object each, tagged by `t`. The runner opens `GET /runner` on the gateway with
`Authorization: Bearer <token>` (EdDSA JWT, claims in `tokens.py`). The engine uses these structs as its own events and
actions, so that nothing is converted on the hot path. Prices are `Price`, instants are session-time milliseconds.

Order on the connection: `Welcome` first; then, for a source with its own clock, all that happens in one market step and
last the `Beat` of that step, which the runner answers with `Idle` once it has handled everything before it. A runner
answers `Idle` again whenever its number of calls in flight changes without a new beat.
"""

from typing import Final

import msgspec

from algo_crds.contracts.orders import (
    Leg,
    OrderClass,
    OrderRow,
    OrderType,
    PositionRow,
    Product,
    RejectKind,
    Side,
)


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="t"):
    pass


# Runner to gateway


class Place(_Message, frozen=True, kw_only=True, tag="place"):
    """Send a new order. Never repeated by any layer."""

    req: int
    tag: str
    leg: Leg
    order_class: OrderClass
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int = 0
    product: Product
    send_before: int
    """The door drops the order after this instant and answers `NotSent`."""


class Modify(_Message, frozen=True, kw_only=True, tag="modify"):
    """Change a live order to absolute values; may be repeated."""

    req: int
    broker_order_id: str
    tag: str
    order_class: OrderClass
    type: OrderType
    quantity: int
    """Total quantity wanted, filled part included. Where `modify_quantity_is_total` is False only orders of which
    nothing has filled are changed, so that it is what remains as well."""
    price: int
    trigger: int = 0
    send_before: int


class Cancel(_Message, frozen=True, kw_only=True, tag="cancel"):
    """Cancel a live order; may be repeated."""

    req: int
    broker_order_id: str
    tag: str
    order_class: OrderClass
    send_before: int


class ReadBook(_Message, frozen=True, kw_only=True, tag="read_book"):
    """Ask for the account's order book, cut to this strategy's symbol."""

    req: int
    urgent: bool = False


class ReadPositions(_Message, frozen=True, kw_only=True, tag="read_positions"):
    """Ask for the account's positions, cut to this strategy's symbol."""

    req: int


class ReadQuote(_Message, frozen=True, kw_only=True, tag="read_quote"):
    """Ask for a fresh quote of the symbol; the answer is a `Tick` with `polled` true, or nothing."""

    req: int


class Idle(_Message, frozen=True, kw_only=True, tag="idle"):
    """Everything up to beat `seq` is handled."""

    seq: int
    in_flight: int
    wake_at: int | None = None
    """Earliest instant at which the engine wants a `Clock` event."""


class Armed(_Message, frozen=True, kw_only=True, tag="armed"):
    """The runner has reconciled and is subscribed: from now on it counts as a participant of a replayed market."""


# Gateway to runner


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine must know of its instrument today."""

    exchange: str
    symbol: str
    tick_size: int
    lot: int
    freeze_quantity: int
    band_low: int
    band_high: int
    previous_close: int
    option: bool = False


class SessionTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The trading day of the instrument at this broker, as instants; all zero when there is no session."""

    day: str
    """ISO date."""
    open: int
    last_new_order: int
    """The broker's own square-off or the exchange's end of continuous trading, whichever is earlier."""
    end_of_stops: int
    last_match: int


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """What the account's broker can do, from the adapter's record in code."""

    broker: str
    convert_stop_to_exit: bool
    """Whether a resting stop may be modified into the exit (documented or proven)."""
    modify_quantity_is_total: bool
    """Whether the quantity of a change is known (documented or proven) to include what has filled."""
    has_trigger_status: bool
    max_modifications: int
    visibility_delay_ms: int
    read_by_tag: bool
    max_trigger_gap_bp: int
    intraday: bool = True
    delivery: bool = False
    short: bool = True
    no_stops: tuple[str, ...] = ()
    """`segment/product` pairs (`options/Delivery`) in which no stop can rest at the exchange: no entry."""


class Welcome(_Message, frozen=True, kw_only=True, tag="welcome"):
    """First message of a connection."""

    now: int
    epoch: int
    account: str
    source: str
    own_clock: bool
    """True when the source has its own clock (beats follow), False for the wall clock."""
    simulated: bool
    instrument: Instrument
    session: SessionTimes
    capability: Capability
    in_flight: tuple[str, ...] = ()
    """Tags that an earlier epoch had sent and whose outcome it may not know."""
    last_send: int = 0
    """The door's last send for this strategy."""
    last_tag: str = ""
    """Tag of the last order that the door placed for it, empty where an earlier door may have placed one."""
    broker: "BrokerHealth"


class SessionChanged(_Message, frozen=True, kw_only=True, tag="session"):
    """A new trading day, band or instrument list."""

    now: int
    instrument: Instrument
    session: SessionTimes


class Accepted(_Message, frozen=True, kw_only=True, tag="accepted"):
    """The broker's HTTP success of a write; never a state."""

    now: int
    req: int
    broker_order_id: str


class Rejected(_Message, frozen=True, kw_only=True, tag="rejected"):
    """A certain refusal, of the order or of the door (see `DOOR_KINDS`)."""

    now: int
    req: int
    kind: RejectKind
    message: str = ""
    retry_at: int = 0


class NotSent(_Message, frozen=True, kw_only=True, tag="not_sent"):
    """Certain: the door dropped the order before any byte left."""

    now: int
    req: int
    reason: str = ""


class Unknown(_Message, frozen=True, kw_only=True, tag="unknown"):
    """The outcome was not seen: time-out, lost connection, ambiguous answer."""

    now: int
    req: int
    reason: str = ""


class Row(_Message, frozen=True, kw_only=True, tag="row"):
    """One order row from the broker's socket, numbered per connection; a hole means `UpdatesGap`."""

    now: int
    seq: int
    row: OrderRow


class Book(_Message, frozen=True, kw_only=True, tag="book"):
    """The order book of the symbol; `req` 0 is the gateway's own periodic read."""

    now: int
    req: int
    begun_at: int
    rows: tuple[OrderRow, ...] = ()
    unavailable: str = ""
    """Why the read failed; then `rows` says nothing."""


class Positions(_Message, frozen=True, kw_only=True, tag="positions"):
    """The account's positions of the symbol."""

    now: int
    req: int
    begun_at: int
    rows: tuple[PositionRow, ...] = ()
    unavailable: str = ""


class Tick(_Message, frozen=True, kw_only=True, tag="tick"):
    """A price of the instrument, unchecked: the runner's checks decide whether it counts."""

    now: int
    price: int
    time: int
    """Exchange time, whole seconds in ms."""
    volume: int = 0
    """The day's running total, 0 if unknown."""
    source: str = ""
    polled: bool = False


class Beat(_Message, frozen=True, kw_only=True, tag="beat"):
    """End of a market step; also the clock of a replayed market."""

    now: int
    seq: int


class UpdatesGap(_Message, frozen=True, kw_only=True, tag="gap"):
    """Order rows may have been missed; read the book."""

    now: int
    reason: str = ""


class FeedHealth(_Message, frozen=True, kw_only=True, tag="feed"):
    """State of the feed as the gateway sees it; freshness of the symbol is the runner's own count."""

    now: int
    connected: bool
    polling: bool = False


class BrokerHealth(_Message, frozen=True, kw_only=True, tag="broker"):
    """Session, breaker and halts of the account."""

    now: int
    session_valid_until: int = 0
    """0: no session."""
    session_reason: str = ""
    breaker_open: bool = False
    halted: bool = False
    halt_reason: str = ""
    egress: str = ""
    open_positions: int = 0
    """Strategies of this account that hold a position: the load for the time of exit."""


class EpochLost(_Message, frozen=True, kw_only=True, tag="epoch_lost"):
    """A newer runner owns the strategy: stop acting at once. The connection closes after it."""

    now: int
    newest: int


ToGateway = Place | Modify | Cancel | ReadBook | ReadPositions | ReadQuote | Idle | Armed
ToRunner = (
    Welcome
    | SessionChanged
    | Accepted
    | Rejected
    | NotSent
    | Unknown
    | Row
    | Book
    | Positions
    | Tick
    | Beat
    | UpdatesGap
    | FeedHealth
    | BrokerHealth
    | EpochLost
)

encode: Final = msgspec.json.Encoder().encode
decode_to_gateway: Final = msgspec.json.Decoder(ToGateway).decode
decode_to_runner: Final = msgspec.json.Decoder(ToRunner).decode

RUNNER_PATH: Final = "/runner"
"""Query: `exchange`, `symbol`, `product`."""
