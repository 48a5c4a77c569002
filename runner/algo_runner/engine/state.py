"""What the engine believes: plain values, and one mutable cell for the market.

`State` is copied by each step that does more than note a price, so that the caller's old state stays as it was; `Order`
and everything below it is frozen. The market cell is shared between the copies: the hot path writes the last price
into it and nothing else. `snapshot` and `restore` are the durable form: equal states give equal bytes.

Restart: `restore(bytes)` of the newest snapshot, then `replay(state, entry)` for each journal entry, oldest first;
those that the snapshot already knows change nothing. Without a snapshot: `initial(spec)` and the whole journal of
the day; without either, the broker's book rebuilds everything that trades.
"""

import msgspec
from algo_crds.contracts import wire
from algo_crds.contracts.constants import ENGINE, EngineConstants
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, RejectKind, Side
from algo_crds.contracts.runtime import ConditionView, ExitReason, Phase, RuntimeSpec
from algo_crds.contracts.tags import strategy_hash

from algo_runner.engine.actions import Intent, JournalEntry

FORMAT = 1
"""Version of the snapshot; another one is not read (the broker's book rebuilds the state)."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the broker last said about one of its orders."""

    broker_order_id: str
    exchange_order_id: str = ""
    status: OrderStatus
    type: OrderType
    quantity: int
    price: int
    trigger: int = 0
    filled: int = 0
    average_price: int = 0
    read_at: int = 0
    changed_at: int = 0
    """When a row last changed status or filled quantity (engine's time)."""
    order_time: int = 0
    reject_kind: RejectKind | None = None
    message: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Values that we asked of the broker for an order, by place or modify."""

    at: int
    type: OrderType
    quantity: int
    price: int
    trigger: int = 0


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt, by its tag."""

    tag: str
    leg: Leg
    attempt: int
    run: int
    side: Side
    own: OrderStatus
    """Our side of the story: counts where the broker has no row, and `Unknown` beats a live row."""
    ask: Ask
    """What was asked last."""
    asks: tuple[Ask, ...] = ()
    """What was asked before (newest last, bounded): rows that equal one of them are ours."""
    send_before: int = 0
    broker_order_id: str = ""
    """The primary broker order of this tag."""
    lines: tuple[Line, ...] = ()
    accepted_at: int = 0
    answered: bool = False
    """The call that placed it has an answer."""
    busy: int = 0
    """Request number of the modify or cancel under way, 0 for none."""
    modifications: int = 0
    reprices: int = 0
    converted: bool = False
    """A stop that we have asked to become the exit."""
    refused_at: int = 0
    """When the last modify or cancel was refused as an order; a later row decides what it meant."""
    refused_convert: bool = False
    """That refusal was of the conversion into the exit."""
    no_modify: bool = False
    """The broker takes no more changes of this order: cancel and place instead."""
    cancel_asked: bool = False
    cancel_at: int = 0
    rejects: int = 0
    retry_at: int = 0
    last_refusal: int = 0
    refused_price: int = 0
    was_unknown: bool = False
    absent: bool = False
    absent_reads: int = 0
    absent_read_at: int = 0
    late: bool = False
    """It appeared after it had been called absent, or belongs to an ended run: live means cancel."""
    handled: bool = False
    """What its end means has been dealt with."""
    reject_kind: RejectKind | None = None
    message: str = ""


class Foreign(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An untagged order of the account in our symbol and product."""

    side: Side
    filled: int
    baseline: int = 0
    """Filled before our entry: not the trader's hand in our position."""
    price: int = 0


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call whose answer is awaited."""

    kind: str
    """place, modify, cancel, book, positions or quote."""
    at: int
    tag: str = ""
    convert: bool = False
    previous: Ask | None = None
    """What held before a modify, to go back to when it is refused."""


class Market(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The mutable cell: what the hot path reads and writes."""

    low: int = 0
    """A price at or below it needs a decision. 0 with `high` 0: every tick does."""
    high: int = 0
    opened: int = 0
    """The session in which ticks count, [opened, closed)."""
    closed: int = 0
    source: str = ""
    price: int = 0
    time: int = 0
    """Exchange time of the last good tick, ms."""
    tick_at: int = 0
    """When the last good tick came; 0 before the first."""
    price_at: int = 0
    """Instant of the last price, polled quotes included."""
    volume: int = 0
    price_streamed: int = 0
    seen: int = 0
    second: set[tuple[int, int]] = msgspec.field(default_factory=set)
    """Price and day volume of further ticks of the newest exchange second (the first stands in price and volume)."""
    rejected: dict[str, int] = msgspec.field(default_factory=dict)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Where all is calm: the resting stop that becomes the exit at once when the target is reached."""

    sign: int = 1
    """+1 for a long position, -1 for a short one. A snapshot's plan is never used, so an older one may lack it."""
    tag: str
    broker_order_id: str
    quantity: int


class State(msgspec.Struct, kw_only=True):
    """Everything the engine knows of one strategy."""

    format: int = FORMAT
    constants: EngineConstants = ENGINE
    spec: RuntimeSpec
    hash8: str

    # Connection and knowledge
    epoch: int = 0
    lost: bool = False
    connected: bool = False
    connected_at: int = 0
    continuous: bool = False
    """This process has been connected before, so it knows all that was sent for it."""
    reread_since: int = 0
    """A book read begun before this does not reconcile."""
    blind_until: int = 0
    """The door has sent something that this state does not know: no new sell before a book begun after this."""
    door_last_send: int = 0
    reconciled: bool = False
    """The book was read since the last connection or gap."""
    book_at: int = 0
    """When the last successful book read was begun."""
    book_print: int = 0
    """A number that stands for the content of the last book."""
    book_failures: int = 0
    positions_at: int = 0
    positions_quantity: int = 0
    """Net quantity of the account in our symbol and product, in our direction."""
    positions_print: int = 0
    positions_checked: bool = True
    differences: int = 0
    journal_writable: bool = True
    journal_seq: int = 0
    next_req: int = 1
    calls: dict[int, Call] = msgspec.field(default_factory=dict)
    next_book_at: int = 0
    next_positions_at: int = 0
    next_quote_at: int = 0
    positions_asked_at: int = 0
    instrument: wire.Instrument | None = None
    session: wire.SessionTimes | None = None
    capability: wire.Capability | None = None
    broker: wire.BrokerHealth | None = None
    feed: wire.FeedHealth | None = None
    feed_stale: bool = False
    plan: Plan | None = None
    untold: str = ""
    """An exit that the hot path has begun and the next step must tell people of."""
    market: Market = msgspec.field(default_factory=Market)
    last_now: int = 0

    # The day
    day: str = ""
    highest: int = 0
    """Highest attempt of the day in journal or book."""
    buy_at: int = 0
    sell_at: int = 0
    exit_at: int = 0
    """Time of exit: the earliest of `sell_at` and what the session and the account's load demand."""
    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    foreign: dict[str, Foreign] = msgspec.field(default_factory=dict)
    manual: int = 0
    """Shares of ours that the trader or the broker sold without our tags."""
    manual_value: int = 0
    manual_seen: int = 0
    """Highest net of untagged fills against our side since our entry."""
    position_cut: int = -1
    """The account's whole position, where it is smaller than the resting sells; -1 for no cut."""
    entry_barred: str = ""
    """Why no entry may be sent any more today, whatever a person says."""
    no_convert: bool = False
    once_done: bool = False
    """A strategy that does not repeat has had its run."""

    # The run
    run: int = 0
    run_open: bool = False
    first_attempt: int = 0
    entry_over: bool = False
    entry_started: bool = False
    entry_seen_window: bool = False
    entry_tries: int = 0
    entry_retry_at: int = 0
    refusal: str = ""
    refusal_message: str = ""
    entered: bool = False
    exit_reason: ExitReason | None = None
    progress_at: int = 0
    stop_level: int = 0
    target_level: int = 0
    loss_level: int = 0
    hand_level: int = 0
    hand_cancels: int = 0
    stop_recomputes: int = 0
    stop_rejects: int = 0
    stop_retry_at: int = 0
    exit_retry_at: int = 0
    exit_rejects: int = 0
    exit_doublings: int = 0
    exit_refused_at: int = 0
    exit_refused_price: int = 0
    quote_wait: int = 0
    """Since when an exit waits for a quote."""
    start_asked: bool = False
    forced_tag: str = ""
    """The word on a second sell that was read last, obeyed or not; empty once the operator has taken it back."""
    reported_blocked: bool = False
    reported_unconfirmed: bool = False
    gather_at: int = 0
    breach_at: int = 0
    breach_time: int = 0
    breach_again: bool = False
    ended: bool = False
    stood_down: bool = False
    killed: bool = False
    stopped_by: str = ""
    """Command(stop): StopExit or StopKeep until a start or another spec."""
    failed: str = ""
    failed_message: str = ""
    failed_day: str = ""
    uncleared: bool = False
    """A run ended Failed or with shares: a person must clear it before the next."""

    # What people see
    phase: Phase = Phase.WAITING
    reason: str = "Reconciling"
    message: str = ""
    conditions: dict[str, ConditionView] = msgspec.field(default_factory=dict)
    unprotected_ms: int = 0
    unprotected_since: int = 0
    """Since when a position is outside "confirmed and armed"; 0: not now. The shell adds wall time while it is set."""
    protected_since: int = 0
    last_action: str = ""
    errors: tuple[str, ...] = ()
    queue: dict[str, int] = msgspec.field(default_factory=dict)
    """Open entries of the order queue: attempts by tag."""
    wake_at: int = 0


def initial(spec: RuntimeSpec, constants: EngineConstants = ENGINE) -> State:
    """The state of a strategy about which nothing is known yet; a word on a second sell in the spec is not obeyed (it
    may have been already)."""
    return State(
        spec=spec,
        hash8=strategy_hash(spec.strategy_id),
        constants=constants,
        forced_tag=spec.force_second_sell,
    )


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(State)


def snapshot(state: State) -> bytes:
    """The durable form of a state: equal states give equal bytes."""
    return _encoder.encode(state)


def restore(data: bytes) -> State | None:
    """The state of a snapshot, not connected to anything; None if it is of another format or damaged.

    Calls that were under way are forgotten, and orders whose placing had no answer become `Unknown`.
    """
    try:
        state = _decoder.decode(data)
    except msgspec.DecodeError:
        return None
    if state.format != FORMAT:
        return None
    forget_calls(state)
    state.connected = False
    state.reconciled = False
    state.lost = False
    state.wake_at = 0
    state.plan = None
    state.continuous = False
    return state


def forget_calls(state: State) -> None:
    """Nobody will answer the calls under way any more: a placed order is unknown, the rest may be repeated."""
    for tag, order in tuple(state.orders.items()):
        own = order.own
        if own in (OrderStatus.INTENDED, OrderStatus.SENT) and not order.answered and not order.lines:
            order = msgspec.structs.replace(order, own=OrderStatus.UNKNOWN, was_unknown=True)
            if order.leg is Leg.ENTRY:
                state.entry_barred = "the outcome of an entry was unknown"
        if order.busy or order is not state.orders[tag]:
            state.orders[tag] = msgspec.structs.replace(order, busy=0)
    state.calls.clear()


def replay(state: State, entry: JournalEntry) -> None:
    """Bring a restored state up to a journal entry; entries that it knows change nothing."""
    if entry.seq <= state.journal_seq:
        return
    state.journal_seq = entry.seq
    if not isinstance(entry, Intent) or (state.day and entry.day < state.day):
        return
    if entry.day != state.day:
        state.orders.clear()
        state.day = entry.day
    state.highest = max(state.highest, int(entry.tag[13:], 36))
    state.run = max(state.run, entry.run)
    state.first_attempt = max(state.first_attempt, entry.first_attempt)
    state.run_open = True
    state.ended = False
    if entry.leg is Leg.ENTRY:
        _supersede(state)
        state.entry_started = True
        state.entry_barred = "the outcome of an entry was unknown"
    if entry.tag not in state.orders:
        ask = Ask(at=entry.at, type=entry.type, quantity=entry.quantity, price=entry.price, trigger=entry.trigger)
        state.orders[entry.tag] = Order(
            tag=entry.tag,
            leg=entry.leg,
            attempt=int(entry.tag[13:], 36),
            run=entry.run,
            side=entry.side,
            own=OrderStatus.UNKNOWN,
            was_unknown=True,
            ask=ask,
            asks=(ask,),
            send_before=entry.send_before,
        )


def _supersede(state: State) -> None:
    """An entry is sent only when every earlier one has certainly ended: a later intent proves it."""
    for tag, order in tuple(state.orders.items()):
        if order.leg is Leg.ENTRY and order.own is OrderStatus.UNKNOWN and not order.lines:
            state.orders[tag] = msgspec.structs.replace(order, own=OrderStatus.NOT_SENT, absent=True, handled=True)
