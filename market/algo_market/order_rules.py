"""The exchange's checks of a new or changed order: quantity, tick, band, and the sense of a stop."""

from typing import NamedTuple, Protocol

from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import OrderType, RejectKind, Side

from algo_market.instruments import DayInstrument


class Refused(NamedTuple):
    """Why the exchange does not take an order or a change."""

    kind: RejectKind
    message: str


class _Market(Protocol):
    @property
    def instrument(self) -> DayInstrument: ...
    @property
    def band_low(self) -> int: ...
    @property
    def band_high(self) -> int: ...
    @property
    def last_price(self) -> int: ...


class _Order(Protocol):
    @property
    def side(self) -> Side: ...
    @property
    def type(self) -> OrderType: ...
    @property
    def quantity(self) -> int: ...
    @property
    def price(self) -> int: ...
    @property
    def trigger(self) -> int: ...
    @property
    def status(self) -> str: ...


def check_order(market: _Market, order: _Order) -> Refused | None:
    """The first rule that an order breaks, or None. A stop that has triggered is checked as a limit order."""
    stop = order.type is OrderType.STOP_LIMIT and order.status != "Triggered"
    return (
        _quantity(market.instrument, order.quantity)
        or _price(market, order.price, "price")
        or (_price(market, order.trigger, "trigger price") if stop else None)
        or (_sense(market.last_price, order) if stop else None)
    )


def _quantity(instrument: DayInstrument, quantity: int) -> Refused | None:
    if instrument.kind == "INDEX":
        return Refused(RejectKind.PRODUCT, f"{instrument.symbol} is an index and cannot be traded")
    if quantity <= 0 or quantity % instrument.lot:
        return Refused(RejectKind.QUANTITY, f"the quantity must be a positive multiple of {instrument.lot}")
    if quantity > instrument.freeze:
        return Refused(RejectKind.QUANTITY, f"the quantity exceeds the freeze quantity of {instrument.freeze}")
    return None


def _price(market: _Market, price: int, what: str) -> Refused | None:
    if price <= 0:
        return Refused(RejectKind.PRICE, f"the {what} must be above zero")
    tick = market.instrument.tick_size
    if price % tick:
        return Refused(RejectKind.TICK_SIZE, f"the {what} is not a multiple of tick size {format_price(tick)}")
    if market.band_high and not market.band_low <= price <= market.band_high:
        band = f"{format_price(market.band_low)} to {format_price(market.band_high)}"
        return Refused(RejectKind.BAND, f"the {what} is outside the day's price band of {band}")
    return None


def _sense(last_price: int, order: _Order) -> Refused | None:
    if order.side is Side.BUY:
        wrong_limit, passed = order.trigger > order.price, 0 < order.trigger <= last_price
    else:
        wrong_limit, passed = order.trigger < order.price, order.trigger >= last_price > 0
    if wrong_limit:
        return Refused(RejectKind.PRICE, "the limit of a stop must lie at or beyond its trigger")
    if passed:
        return Refused(RejectKind.THROUGH, "the market has already passed the trigger price")
    return None
