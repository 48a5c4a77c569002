"""The rules of a Strategy: what is refused at once, and what may not change while a position is open."""

from typing import Annotated, Any, Final

from algo_crds.contracts.orders import Product, Side
from algo_crds.contracts.runtime import Phase
from algo_crds.resources.metadata import short_name
from algo_crds.resources.rules import Checked, Rule, TransitionRule

STOP_LOSS_REQUIRED: Final = (
    "stopLoss is required: say where the position is given up, as one of stopLoss.price, stopLoss.percent "
    "or stopLoss.points; no strategy trades without a stop-loss"
)
MAX_QUANTITY: Final = 10_000_000

Quantity = Annotated[
    int,
    Checked(
        {"type": "integer", "format": "int64"},
        Rule(cel="self >= 1", message="quantity must be a whole number of at least 1", holds=lambda value: value >= 1),
        Rule(
            cel=f"self <= {MAX_QUANTITY}",
            message=f"quantity must not be above {MAX_QUANTITY}",
            holds=lambda value: value <= MAX_QUANTITY,
        ),
    ),
]

SPEC_RULES: Final = (
    Rule(
        cel="self.buyTime < self.sellTime",
        message="buyTime must be before sellTime",
        holds=lambda spec: spec.buy_time < spec.sell_time,
    ),
    Rule(
        cel="!(self.side == 'Sell' && self.product == 'Delivery')",
        message="side Sell needs product Intraday: shares cannot be sold short for delivery",
        holds=lambda spec: not (spec.side == Side.SELL and spec.product == Product.DELIVERY),
    ),
    Rule(
        cel="!(self.mode == 'Live' && self.brokerAccountRef.name == 'paper')",
        message="mode Live needs brokerAccountRef to name a real broker account: `paper` trades practice money",
        holds=lambda spec: not (spec.mode == "Live" and spec.broker_account_ref.name == "paper"),
    ),
    Rule(
        cel=(
            "!has(self.stopLoss) || !has(self.stopLoss.price) || !has(self.target) || !has(self.target.price) || "
            "(self.side == 'Buy' ? self.stopLoss.price < self.target.price : self.stopLoss.price > self.target.price)"
        ),
        message="target.price must lie on the profit side of stopLoss.price: above it for Buy, below it for Sell",
        holds=lambda spec: _target_beyond_stop(spec),
    ),
)

RESOURCE_RULES: Final = (short_name(59, "the pod run-<name>"),)

_BOUGHT: Final = "has(oldSelf.status) && has(oldSelf.status.phase) && oldSelf.status.phase == 'Bought'"


def _target_beyond_stop(spec: Any) -> bool:
    stop, target = spec.stop_loss.price, spec.target.price if spec.target else None
    if stop is None or target is None:
        return True
    return bool(stop < target if spec.side == Side.BUY else stop > target)


def _bought(old: Any) -> bool:
    return old.status is not None and old.status.phase == Phase.BOUGHT


def _frozen(name: str, attribute: str, label: str) -> TransitionRule:
    def holds(old: Any, new: Any) -> bool:
        return not _bought(old) or getattr(old.spec, attribute) == getattr(new.spec, attribute)

    return TransitionRule(
        cel=f"!({_BOUGHT}) || self.spec.{name} == oldSelf.spec.{name}",
        message=f"{label} cannot change while a position is open; stop the strategy first",
        holds=holds,
    )


def _same_form(old: Any, new: Any) -> bool:
    if not _bought(old):
        return True
    return all(
        (getattr(old.spec.stop_loss, form) is None) == (getattr(new.spec.stop_loss, form) is None)
        for form in ("price", "percent", "points")
    )


def _not_farther(old: Any, new: Any) -> bool:
    if not _bought(old):
        return True
    before, after = old.spec.stop_loss, new.spec.stop_loss
    if before.price is not None and after.price is not None:
        nearer = after.price >= before.price if old.spec.side == Side.BUY else after.price <= before.price
        return bool(nearer)
    for form in ("percent", "points"):
        was, now = getattr(before, form), getattr(after, form)
        if was is not None and now is not None and now > was:
            return False
    return True


def _cel_not_farther() -> str:
    stop, was = "self.spec.stopLoss", "oldSelf.spec.stopLoss"
    price = (
        f"(!has({stop}.price) || !has({was}.price) || (oldSelf.spec.side == 'Buy' ? "
        f"{stop}.price >= {was}.price : {stop}.price <= {was}.price))"
    )
    others = " && ".join(
        f"(!has({stop}.{form}) || !has({was}.{form}) || {stop}.{form} <= {was}.{form})"
        for form in ("percent", "points")
    )
    return f"!({_BOUGHT}) || !has({stop}) || !has({was}) || ({price} && {others})"


TRANSITIONS: Final = (
    _frozen("symbol", "symbol", "symbol"),
    _frozen("exchange", "exchange", "exchange"),
    _frozen("side", "side", "side"),
    _frozen("product", "product", "product"),
    _frozen("quantity", "quantity", "quantity"),
    _frozen("mode", "mode", "mode"),
    _frozen("brokerAccountRef.name", "broker_account_ref", "brokerAccountRef"),
    TransitionRule(
        cel=f"!({_BOUGHT}) || has(self.spec.stopLoss)",
        message="stopLoss cannot be removed while a position is open",
        holds=lambda _old, _new: True,  # a model without its stop-loss cannot be made
    ),
    TransitionRule(
        cel=(
            f"!({_BOUGHT}) || !has(self.spec.stopLoss) || !has(oldSelf.spec.stopLoss) || ("
            + " && ".join(
                f"has(self.spec.stopLoss.{form}) == has(oldSelf.spec.stopLoss.{form})"
                for form in ("price", "percent", "points")
            )
            + ")"
        ),
        message="stopLoss cannot change its form (price, percent, points) while a position is open",
        holds=_same_form,
    ),
    TransitionRule(
        cel=_cel_not_farther(),
        message="stopLoss may only come nearer while a position is open",
        holds=_not_farther,
    ),
)
