"""Strategies on the wire: snake_case, prices as decimal strings; a short form has the stop-loss as a bare price."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Product, Side
from algo_crds.contracts.runtime import ExitReason, Phase
from algo_crds.resources.strategy import DesiredState, Exchange, Mode, OnStop, Repeat
from pydantic import BaseModel, Field, PlainSerializer

from algo_api.inputs import CleanText, Request

Rupees = Annotated[Decimal, PlainSerializer(lambda value: format(value, "f"), return_type=str)]
"""An amount on the way out: a decimal string, never a float."""
Number = Annotated[Decimal, Field(max_digits=20, decimal_places=8, allow_inf_nan=False)]
"""An amount on the way in: a decimal string or a JSON number."""
Id = Annotated[str, Field(pattern="^[a-z]+_[0-9a-hjkmnp-tv-z]{26}$")]
Time = Annotated[CleanText, Field(max_length=16)]
Symbol = Annotated[CleanText, Field(max_length=64)]


class ApiStatus(StrEnum):
    """A strategy's state in one word: ACTIVE waits or is done for the day, RUNNING holds a position."""

    ACTIVE = "ACTIVE"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class LevelIn(Request):
    """Exactly one of price, percent, points."""

    price: Number | None = Field(default=None, description="A price in rupees.")
    percent: Number | None = Field(default=None, description="Percent from the average entry price.")
    points: Number | None = Field(default=None, description="Rupees from the average entry price.")


class LimitsIn(Request):
    """Limits of one strategy."""

    max_loss_per_day: Number | None = Field(default=None, description="Loss in rupees that ends the day.")
    max_slippage_percent: Number | None = Field(default=None, description="Caps how far an entry may pay up.")


class StrategyChange(Request):
    """Fields to change; what is left out stays as it is, `null` takes an optional field away."""

    symbol: Symbol | None = Field(default=None, description="Trading symbol in capitals, for example RELIANCE.")
    exchange: Exchange | None = Field(default=None, description="Exchange of the symbol; NSE.")
    side: Side | None = Field(default=None, description="Buy, or Sell to open a short position.")
    quantity: int | None = Field(default=None, description="How many to trade.")
    buy_time: Time | None = Field(default=None, description="When to enter, HH:MM:SS in exchange time.")
    sell_time: Time | None = Field(default=None, description="When to exit at the latest, HH:MM:SS in exchange time.")
    stop_loss: LevelIn | Number | None = Field(
        default=None, description="Where the position is given up: one form, or a bare price in rupees. Required."
    )
    target: LevelIn | Number | None = Field(default=None, description="Where the profit is taken.")
    product: Product | None = Field(default=None, description="Intraday or Delivery.")
    mode: Mode | None = Field(default=None, description="Paper or Live.")
    broker_account_id: Id | None = Field(
        default=None, description="Account that trades; the paper account if not given."
    )
    desired_state: DesiredState | None = Field(default=None, description="Running or Stopped.")
    repeat: Repeat | None = Field(default=None, description="Daily or Once.")
    on_stop: OnStop | None = Field(default=None, description="ExitPosition or KeepProtected.")
    limits: LimitsIn | None = Field(default=None, description="Limits of this strategy.")


class StrategyIn(StrategyChange):
    """A new strategy. Shortest form: symbol, quantity, buy_time, sell_time and stop_loss as a price."""

    symbol: Symbol = Field(description="Trading symbol in capitals, for example RELIANCE.")
    quantity: int = Field(description="How many to trade.")
    buy_time: Time = Field(description="When to enter, HH:MM:SS in exchange time.")
    sell_time: Time = Field(description="When to exit at the latest, HH:MM:SS in exchange time.")


class LevelOut(BaseModel):
    """One of price, percent, points; the others are null."""

    price: Rupees | None = Field(default=None, description="A price in rupees.")
    percent: Rupees | None = Field(default=None, description="Percent from the average entry price.")
    points: Rupees | None = Field(default=None, description="Rupees from the average entry price.")


class LimitsOut(BaseModel):
    """Limits of one strategy."""

    max_loss_per_day: Rupees | None = Field(default=None, description="Loss in rupees that ends the day.")
    max_slippage_percent: Rupees | None = Field(default=None, description="Caps how far an entry may pay up.")


class ConditionOut(BaseModel):
    """One observed fact."""

    type: str = Field(description="Ready, Protected, FeedFresh, BrokerSession or Deleting.")
    status: str = Field(description="True, False or Unknown.")
    reason: str = Field(description="Why, as one word.")
    message: str = Field(default="", description="Why, as a sentence.")
    last_transition_time: datetime | None = Field(
        default=None, description="When it last changed, by the market's clock."
    )


class OrderOut(BaseModel):
    """One order."""

    tag: str = Field(description="Our tag of the attempt, the same at the broker.")
    broker_order_id: str | None = Field(default=None, description="The broker's number.")
    leg: Leg = Field(description="Entry, Stop or Exit.")
    side: Side = Field(description="Buy or Sell.")
    type: OrderType = Field(description="Limit or StopLimit.")
    price: Rupees = Field(description="Limit in rupees.")
    trigger: Rupees | None = Field(default=None, description="Trigger of a stop.")
    quantity: int = Field(description="Ordered.")
    filled: int = Field(description="Filled.")
    average_price: Rupees | None = Field(default=None, description="Average price of the fills.")
    status: OrderStatus = Field(description="State of the order.")
    message: str = Field(default="", description="What the broker said.")
    time: int = Field(description="When it was last sent or changed by us: milliseconds by the market's clock.")
    wall_time: int | None = Field(
        default=None,
        description="When it was made: milliseconds by the wall clock; null if no runner saw that.",
    )


class PositionOut(BaseModel):
    """What is held."""

    quantity: int = Field(description="Held by this strategy; negative is short.")
    average_price: Rupees = Field(description="Average entry price in rupees.")


class StateOut(BaseModel):
    """What a strategy is doing; also the data of the stream's `snapshot` event."""

    phase: Phase | None = Field(default=None, description="Waiting, Bought, Sold, Stopped or Failed.")
    reason: str | None = Field(default=None, description="Why this phase, as one word.")
    message: str | None = Field(default=None, description="Why this phase, as a sentence.")
    conditions: list[ConditionOut] = Field(default_factory=list, description="Facts about it.")
    position: PositionOut | None = Field(default=None, description="What is held; null when flat.")
    orders: list[OrderOut] = Field(default_factory=list, description="Orders of the day.")
    last_price: Rupees | None = Field(default=None, description="Last good price in rupees.")
    pnl: Rupees | None = Field(default=None, description="Profit or loss of the day in rupees.")
    entry_price: Rupees | None = Field(default=None, description="Average price of the entry.")
    stop_price: Rupees | None = Field(default=None, description="Where the stop stands.")
    target_price: Rupees | None = Field(default=None, description="Where the target stands.")
    exit_price: Rupees | None = Field(default=None, description="Average price of the exit.")
    exit_reason: ExitReason | None = Field(default=None, description="Why the position was closed.")
    unprotected_seconds: float | None = Field(default=None, description="Wall time without a confirmed, armed stop.")
    unprotected_session_seconds: float | None = Field(default=None, description="The same by the market's clock.")
    ticks_seen: int = Field(default=0, description="Ticks of the day.")
    ticks_rejected: dict[str, int] = Field(default_factory=dict, description="Ticks not traded on, by cause.")
    last_action: str = Field(default="", description="What it did last.")
    errors: list[str] = Field(default_factory=list, description="What went wrong and is not cleared.")
    final: bool = Field(default=False, description="The run of the day is over.")
    now: int | None = Field(default=None, description="The market's clock in milliseconds.")


class StrategyOut(StateOut):
    """A strategy: what was asked for, and what it is doing."""

    id: str = Field(description="Id of the strategy (str_...).")
    resource: str = Field(description="Namespace and name of the Strategy resource.")
    user_id: str = Field(description="Owner (usr_...).")
    tenant_id: str = Field(description="Tenant (tnt_...).")
    status: ApiStatus = Field(description="ACTIVE, RUNNING or STOPPED.")
    deleting: bool = Field(description="Its deletion was asked for.")
    symbol: str = Field(description="Trading symbol.")
    exchange: Exchange = Field(description="Exchange.")
    side: Side = Field(description="Buy or Sell.")
    quantity: int = Field(description="How many are traded.")
    buy_time: str = Field(description="When it enters.")
    sell_time: str = Field(description="When it exits at the latest.")
    stop_loss: LevelOut = Field(description="Where the position is given up.")
    target: LevelOut | None = Field(default=None, description="Where the profit is taken.")
    product: Product = Field(description="Intraday or Delivery.")
    mode: Mode = Field(description="Paper or Live.")
    broker_account: str = Field(description="Name of the BrokerAccount resource that trades.")
    broker_account_id: str | None = Field(default=None, description="Its id, where it is known by one.")
    desired_state: DesiredState = Field(description="Running or Stopped.")
    repeat: Repeat = Field(description="Daily or Once.")
    on_stop: OnStop = Field(description="ExitPosition or KeepProtected.")
    limits: LimitsOut | None = Field(default=None, description="Limits.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When it was last changed.")
    generation: int = Field(description="Version of what was asked for.")


class StrategyPage(BaseModel):
    """A page of strategies, newest first."""

    items: list[StrategyOut] = Field(description="Strategies.")
    next: str | None = Field(description="Give it as `before` to get the next page; null at the end.")


Json = dict[str, Any]
