"""Tick size, lot, freeze quantity and band of an order before any byte of it leaves: what the exchange would refuse for
certain costs no call and no time.

The facts are those that the runner was told last (`Welcome`, `SessionChanged`), so that both judge by the same list. An
exit or a stop makes a position safer, and no fact that may be stale stands in its way: a band moves during the day, and
what is held may be any quantity once a fill or a cancel has left an odd remainder. Only what the exchange never takes
is kept from it: a price that is none, one between two ticks, and a quantity that is none.
"""

from algo_crds.contracts import wire
from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import Leg, OrderClass, OrderType, RejectKind
from algo_crds.contracts.tags import parse_tag


def order_refusal(order: wire.Place | wire.Modify, facts: wire.Instrument, now: int) -> wire.Rejected | None:
    """The first rule that a new or changed order breaks as an answer to its runner, or None.

    Args:
        facts: of the instrument that the runner trades; a tick size, freeze quantity or band of 0 is not known and
            refuses nothing.
        now: session time in ms.
    """
    found = _fault(order, facts)
    if found is None:
        return None
    kind, message = found
    return wire.Rejected(now=now, req=order.req, kind=kind, message=message)


def _fault(order: wire.Place | wire.Modify, facts: wire.Instrument) -> tuple[RejectKind, str] | None:
    quantity, price, trigger = order.quantity, order.price, order.trigger
    stop = order.type is OrderType.STOP_LIMIT
    if quantity <= 0:
        return RejectKind.QUANTITY, f"the quantity {quantity} must be above zero"
    if price <= 0 or (stop and trigger <= 0):
        return RejectKind.PRICE, "price and trigger price must be above zero"
    tick = facts.tick_size
    if tick > 0 and (price % tick or (stop and trigger % tick)):
        return RejectKind.TICK_SIZE, _off_tick(price if price % tick else trigger, tick)
    return _entry_fault(order, facts) if _opens(order) else None


def _entry_fault(order: wire.Place | wire.Modify, facts: wire.Instrument) -> tuple[RejectKind, str] | None:
    """What only an order that opens a position is held to."""
    quantity, price, lot = order.quantity, order.price, facts.lot
    if lot > 1 and quantity % lot:
        return RejectKind.QUANTITY, f"the quantity {quantity} is not a multiple of the lot of {lot}"
    if 0 < facts.freeze_quantity < quantity:
        return RejectKind.QUANTITY, f"the quantity {quantity} is above the freeze quantity {facts.freeze_quantity}"
    if facts.band_high > 0 and not facts.band_low <= price <= facts.band_high:
        band = f"{format_price(facts.band_low)} to {format_price(facts.band_high)}"
        return RejectKind.BAND, f"the price {format_price(price)} is outside the day's band of {band}"
    return None


def _off_tick(price: int, tick: int) -> str:
    return f"the price {format_price(price)} is not a multiple of the tick size {format_price(tick)}"


def _opens(order: wire.Place | wire.Modify) -> bool:
    """Whether it may open or enlarge a position: by its class, or by the leg that its tag was made for, whatever the
    class says."""
    if order.order_class is OrderClass.ENTRY:
        return True
    tag = parse_tag(order.tag)
    return tag is not None and tag.leg is Leg.ENTRY
