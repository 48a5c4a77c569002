"""Strategy: one symbol, one window of the trading day, and the stop-loss that is never missing."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AwareDatetime, Field

from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Product, Side
from algo_crds.contracts.runtime import ExitReason, Phase
from algo_crds.resources import strategy_rules
from algo_crds.resources.conditions import Conditions
from algo_crds.resources.metadata import Resource
from algo_crds.resources.rules import REQUIRED_MESSAGE, Rule, SpecPart, StatusPart, TransitionRule
from algo_crds.resources.values import (
    Amount,
    Money,
    ObjectRef,
    PercentLevel,
    PointsLevel,
    PriceLevel,
    StepLevel,
    Text,
    TimeOfDay,
    Word,
    exactly_one,
)

MAX_ORDERS: Final = 8
"""Orders that `.status` shows; the journal and the ledger hold them all."""


class Mode(StrEnum):
    """With what money a strategy trades."""

    PAPER = "Paper"
    LIVE = "Live"


class DesiredState(StrEnum):
    """What the trader wants the strategy to do."""

    RUNNING = "Running"
    STOPPED = "Stopped"


class Repeat(StrEnum):
    """What follows a trading day."""

    DAILY = "Daily"
    ONCE = "Once"


class OnStop(StrEnum):
    """What stopping does with an open position."""

    EXIT_POSITION = "ExitPosition"
    KEEP_PROTECTED = "KeepProtected"


class Exchange(StrEnum):
    """Exchanges and segments, by their usual short names."""

    NSE = "NSE"
    BSE = "BSE"
    NFO = "NFO"
    BFO = "BFO"


class StopLoss(SpecPart):
    """Where the position is given up. Exactly one of price, percent, points."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("price", "percent", "points", what="stopLoss"),)

    price: PriceLevel | None = Field(default=None, description="Stop at this price, in rupees.")
    percent: PercentLevel | None = Field(
        default=None, description="Stop this many percent from the average entry price (steps of 0.01)."
    )
    points: PointsLevel | None = Field(default=None, description="Stop this many rupees from the average entry price.")


class Target(SpecPart):
    """Where the profit is taken. Exactly one of price, percent, points."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("price", "percent", "points", what="target"),)

    price: PriceLevel | None = Field(default=None, description="Take profit at this price, in rupees.")
    percent: PercentLevel | None = Field(
        default=None, description="Take profit this many percent from the average entry price (steps of 0.01)."
    )
    points: PointsLevel | None = Field(
        default=None, description="Take profit this many rupees from the average entry price."
    )


class Trailing(SpecPart):
    """A stop that follows the price in the position's favour and never goes back. Exactly one of percent, points."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("percent", "points", what="trailing"),)

    percent: PercentLevel | None = Field(
        default=None, description="Distance kept from the best price since entry, in percent (steps of 0.01)."
    )
    points: PointsLevel | None = Field(
        default=None, description="Distance kept from the best price since entry, in rupees."
    )
    step: StepLevel | None = Field(
        default=None,
        description="Smallest move of the resting stop at the broker, in the same unit; 0.1 percent if not given.",
    )


class StrategyLimits(SpecPart):
    """Limits of one strategy; the account and the tenant have theirs."""

    max_loss_per_day: Amount | None = Field(
        default=None, description="Loss in rupees at which the day is over: exit, and no entry until tomorrow."
    )
    max_slippage_percent: PercentLevel | None = Field(
        default=None, description="How far from the last price an entry may pay, in percent; caps the entry band."
    )


class StrategySpec(SpecPart):
    """What the trader wants."""

    rules: ClassVar[tuple[Rule, ...]] = strategy_rules.SPEC_RULES

    symbol: Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Z0-9][A-Z0-9&._-]*$")] = Field(
        description="Trading symbol in capitals, as the exchange writes it, for example RELIANCE."
    )
    exchange: Exchange = Field(default=Exchange.NSE, description="Exchange of the symbol.")
    side: Side = Field(
        default=Side.BUY, description="Buy opens a long position; Sell opens a short one (Intraday only)."
    )
    quantity: strategy_rules.Quantity = Field(description="How many shares or units to trade, in whole lots.")
    buy_time: TimeOfDay = Field(
        description="When to enter, HH:MM:SS in exchange time (Asia/Kolkata); a minute later no entry is made that day."
    )
    sell_time: TimeOfDay = Field(
        description="When to exit at the latest, HH:MM:SS in exchange time (Asia/Kolkata); after buyTime."
    )
    stop_loss: StopLoss = Field(
        description="Where the position is given up. Required: no strategy trades without a stop-loss.",
        json_schema_extra={REQUIRED_MESSAGE: strategy_rules.STOP_LOSS_REQUIRED},
    )
    trailing: Trailing | None = Field(default=None, description="Lets the stop follow the price; none if not given.")
    target: Target | None = Field(default=None, description="Where the profit is taken; none if not given.")
    product: Product = Field(
        default=Product.INTRADAY, description="Intraday is closed the same day; Delivery may be carried."
    )
    mode: Mode = Field(
        default=Mode.PAPER,
        description="Paper trades practice money on a paper account; Live needs another account and trades real money.",
    )
    broker_account_ref: ObjectRef = Field(
        default=ObjectRef(name="paper"),
        description="The BrokerAccount that trades; the tenant's account `paper` if not given.",
    )
    desired_state: DesiredState = Field(
        default=DesiredState.RUNNING,
        description="Running trades; Stopped does not, and treats a position as onStop says.",
    )
    repeat: Repeat = Field(
        default=Repeat.DAILY, description="Daily waits again on the next trading day; Once ends after its first run."
    )
    on_stop: OnStop = Field(
        default=OnStop.EXIT_POSITION,
        description="What stopping does with a position: ExitPosition sells it, KeepProtected leaves it with its stop.",
    )
    limits: StrategyLimits | None = Field(default=None, description="Limits of this strategy beyond its account's.")


class Position(StatusPart):
    """What is held."""

    quantity: int = Field(description="Shares held by this strategy; negative is short.")
    average_price: Money = Field(description="Average entry price in rupees.")


class OrderStatusView(StatusPart):
    """One order, as the broker last told it."""

    tag: Word = Field(description="Our tag of the attempt, the same at the broker.")
    broker_order_id: Word | None = Field(default=None, description="The broker's order number.")
    leg: Leg = Field(description="Why the order was born: Entry, Stop or Exit.")
    side: Side = Field(description="Buy or Sell.")
    type: OrderType = Field(description="Limit or StopLimit.")
    price: Money = Field(description="Limit in rupees.")
    trigger: Money | None = Field(default=None, description="Trigger in rupees, of a stop.")
    quantity: int = Field(description="Quantity ordered.")
    filled: int = Field(default=0, description="Quantity filled.")
    average_price: Money | None = Field(default=None, description="Average price of the fills in rupees.")
    status: OrderStatus = Field(description="State of the order.")
    message: Text = Field(default="", description="What the broker said, if anything.")
    time: AwareDatetime = Field(description="When it was last sent or changed by us, by the market's clock.")
    wall_time: AwareDatetime | None = Field(
        default=None,
        description="When it was made, by the wall clock; absent if no runner saw that (found in the broker's book).",
    )


class RunnerStatus(StatusPart):
    """The process that trades for the strategy."""

    pod: Annotated[str, Field(max_length=253)] | None = Field(default=None, description="Name of the runner's pod.")
    epoch: int | None = Field(
        default=None,
        ge=0,
        description="Number of the runner that may trade; it only grows, and the newest alone is served.",
    )


class StrategyStatus(StatusPart):
    """What the strategy is doing; written by the operator only."""

    phase: Phase | None = Field(
        default=None,
        description="Waiting (no position), Bought (a position is open), Sold, Stopped, Failed (a person must look).",
    )
    reason: Word | None = Field(default=None, description="Why this phase, as one word.")
    message: Text | None = Field(default=None, description="Why this phase, as a sentence.")
    conditions: Conditions = Field(
        default=(), description="Ready, Protected, FeedFresh, BrokerSession, Deleting: each with reason and time."
    )
    position: Position | None = Field(default=None, description="What is held; absent when flat.")
    orders: Annotated[tuple[OrderStatusView, ...], Field(max_length=MAX_ORDERS)] = Field(
        default=(), description="The last orders, the newest last."
    )
    last_price: Money | None = Field(default=None, description="Last good price of the symbol in rupees.")
    pnl: Money | None = Field(default=None, description="Profit or loss of the day in rupees, realised and open.")
    stop_price: Money | None = Field(default=None, description="Where the stop stands now, in rupees.")
    protected_since: AwareDatetime | None = Field(
        default=None, description="Since when the whole position has its stop at the broker."
    )
    exit_reason: ExitReason | None = Field(default=None, description="Why the last position was closed.")
    last_action: Text | None = Field(default=None, description="What the strategy did last.")
    errors: Annotated[tuple[Text, ...], Field(max_length=16)] = Field(
        default=(), description="What went wrong and is not cleared."
    )
    strategy_id: Word | None = Field(default=None, description="The platform's id of the strategy (str_...).")
    observed_generation: int | None = Field(
        default=None, ge=0, description="Generation of the spec that the runner works by."
    )
    runner: RunnerStatus | None = Field(default=None, description="The process that trades for the strategy.")


class Strategy(Resource):
    """A trading strategy: buys a symbol at a time of day, sells it at another, and is never without its stop-loss."""

    rules: ClassVar[tuple[Rule, ...]] = strategy_rules.RESOURCE_RULES
    transitions: ClassVar[tuple[TransitionRule, ...]] = strategy_rules.TRANSITIONS

    api_version: Literal["algo.trading/v1alpha1"] = Field(default="algo.trading/v1alpha1", description="API version.")
    kind: Literal["Strategy"] = Field(default="Strategy", description="Kind.")
    spec: StrategySpec = Field(description="What the trader wants.")
    status: StrategyStatus | None = Field(
        default=None, description="What the strategy is doing; the operator writes it."
    )
