"""Specs that the API server must take or refuse, and the sentence with which it refuses them."""

from dataclasses import dataclass, field
from typing import Any, Final

Spec = dict[str, Any]
USER: Final = "usr_01hzy3v5w8k2m4n6p8q0r2s4t6"

STOP_LOSS_REQUIRED: Final = (
    "stopLoss is required: say where the position is given up, as one of stopLoss.price, stopLoss.percent "
    "or stopLoss.points; no strategy trades without a stop-loss"
)
DELETE: Final = object()
"""A change to this value takes the field away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A change of a valid base spec. `message` None: still valid. Otherwise part of the refusal.

    `model` is the part of pydantic's message where the schema itself, not a rule, refuses.
    """

    id: str
    kind: str
    change: Spec = field(default_factory=dict)
    message: str | None = None
    model: str | None = None


BASES: Final[dict[str, Spec]] = {
    "Strategy": {
        "symbol": "RELIANCE",
        "quantity": 10,
        "buyTime": "09:20:00",
        "sellTime": "15:05:00",
        "stopLoss": {"percent": 1},
    },
    "BrokerAccount": {"broker": "zerodha", "clientId": "AB1234"},
    "MarketDataSource": {"synthetic": {"world": "demo", "seed": 1}},
    "Tenant": {"displayName": "Acme", "owner": USER},
}


def changed(base: Spec, change: Spec) -> Spec:
    """The base with a change; `DELETE` removes a field."""
    merged = base | change
    return {name: value for name, value in merged.items() if value is not DELETE}


def _strategy(name: str, change: Spec, message: str | None = None, model: str | None = None) -> Sample:
    return Sample(id=name, kind="Strategy", change=change, message=message, model=model)


ONE_STOP: Final = "stopLoss must have exactly one form: price, percent or points"
ONE_TRAILING: Final = "trailing must have exactly one form: percent or points"
PROFIT_SIDE: Final = "target.price must lie on the profit side of stopLoss.price: above it for Buy, below it for Sell"
SHORT_INSIDE: Final[Spec] = {"side": "Sell", "stopLoss": {"price": 100}, "target": {"price": 101}}
TIME: Final = "time must be HH:MM:SS in exchange time (Asia/Kolkata), for example 09:20:00"

STRATEGIES: Final = (
    _strategy("base", {}),
    _strategy("stop-price", {"stopLoss": {"price": 2450.05}}),
    _strategy("stop-price-four-decimals", {"stopLoss": {"price": 2450.0525}}),
    _strategy("stop-points", {"stopLoss": {"points": 12.5}}),
    _strategy("percent-hundredths", {"stopLoss": {"percent": 0.01}}),
    _strategy("short", {"side": "Sell", "stopLoss": {"price": 110}, "target": {"price": 90}}),
    _strategy("delivery", {"product": "Delivery"}),
    _strategy("live", {"mode": "Live", "brokerAccountRef": {"name": "zerodha-main"}}),
    _strategy("all", {
        "exchange": "NFO", "trailing": {"percent": 0.5, "step": 0.1}, "target": {"points": 30}, "repeat": "Once",
        "onStop": "KeepProtected", "desiredState": "Stopped",
        "limits": {"maxLossPerDay": 1000.5, "maxSlippagePercent": 0.2},
    }),
    _strategy("symbol-with-signs", {"symbol": "M&M-BE"}),
    _strategy("no-stop", {"stopLoss": DELETE}, STOP_LOSS_REQUIRED),
    _strategy("empty-stop", {"stopLoss": {}}, ONE_STOP),
    _strategy("two-stops", {"stopLoss": {"price": 1, "percent": 1}}, ONE_STOP),
    _strategy("three-stops", {"stopLoss": {"price": 1, "percent": 1, "points": 1}}, ONE_STOP),
    _strategy("stop-zero", {"stopLoss": {"price": 0}}, "price must be greater than 0"),
    _strategy("stop-negative", {"stopLoss": {"price": -1}}, "price must be greater than 0"),
    _strategy("stop-five-decimals", {"stopLoss": {"price": 100.00001}}, "must have at most four decimals"),
    _strategy("stop-too-high", {"stopLoss": {"price": 1e300}}, "must not be above 10000000 rupees"),
    _strategy("percent-zero", {"stopLoss": {"percent": 0}}, "percent must be greater than 0 and less than 100"),
    _strategy("percent-hundred", {"stopLoss": {"percent": 100}}, "percent must be greater than 0 and less than 100"),
    _strategy("percent-three-decimals", {"stopLoss": {"percent": 0.125}}, "must have at most two decimals"),
    _strategy("points-zero", {"stopLoss": {"points": 0}}, "points must be greater than 0"),
    _strategy("stop-text", {"stopLoss": {"price": "100"}}, "must be of type number", "must be a number"),
    _strategy("two-targets", {"target": {"price": 1, "points": 1}}, "target must have exactly one form"),
    _strategy("empty-target", {"target": {}}, "target must have exactly one form: price, percent or points"),
    _strategy("two-trailings", {"trailing": {"percent": 1, "points": 1}}, ONE_TRAILING),
    _strategy("trailing-step-only", {"trailing": {"step": 1}}, ONE_TRAILING),
    _strategy("trailing-step-zero", {"trailing": {"percent": 1, "step": 0}}, "step must be greater than 0"),
    _strategy("target-inside", {"stopLoss": {"price": 100}, "target": {"price": 99}}, PROFIT_SIDE),
    _strategy("short-target-inside", SHORT_INSIDE, PROFIT_SIDE),
    _strategy("sell-before-buy", {"buyTime": "15:05:00", "sellTime": "09:20:00"}, "buyTime must be before sellTime"),
    _strategy("sell-at-buy", {"sellTime": "09:20:00"}, "buyTime must be before sellTime"),
    _strategy("short-time", {"buyTime": "9:20"}, TIME),
    _strategy("no-such-time", {"sellTime": "24:00:00"}, TIME),
    _strategy("time-with-newline", {"sellTime": "15:05:00\n"}, TIME),
    _strategy("quantity-zero", {"quantity": 0}, "quantity must be a whole number of at least 1"),
    _strategy("quantity-negative", {"quantity": -1}, "quantity must be a whole number of at least 1"),
    _strategy("quantity-huge", {"quantity": 10_000_001}, "quantity must not be above 10000000"),
    _strategy("quantity-fraction", {"quantity": 1.5}, "must be of type integer", "valid integer"),
    _strategy("no-quantity", {"quantity": DELETE}, "spec.quantity: Required value", "Field required"),
    _strategy("sell-delivery", {"side": "Sell", "product": "Delivery"}, "side Sell needs product Intraday"),
    _strategy("live-on-paper", {"mode": "Live"}, "mode Live needs brokerAccountRef to name a real broker account"),
    _strategy("no-such-side", {"side": "Hold"}, 'supported values: "Buy", "Sell"', "'Buy' or 'Sell'"),
    _strategy("no-such-product", {"product": "Margin"}, '"Intraday", "Delivery"', "'Intraday' or 'Delivery'"),
    _strategy("small-symbol", {"symbol": "reliance"}, "spec.symbol", "String should match pattern"),
    _strategy("loss-limit-zero", {"limits": {"maxLossPerDay": 0}}, "amount must be greater than 0"),
    _strategy("misspelt", {"stoploss": {"percent": 1}}, "stoploss", "Extra inputs are not permitted"),
)  # fmt: skip


def _account(name: str, change: Spec, message: str | None = None, model: str | None = None) -> Sample:
    return Sample(id=f"account-{name}", kind="BrokerAccount", change=change, message=message, model=model)


ACCOUNTS: Final = (
    _account("base", {}),
    _account("paper", {"broker": "paper", "clientId": DELETE, "marketDataSourceRef": {"name": "default"}}),
    _account("simulator", {"environment": "Simulator"}),
    _account("halted", {"halt": {"reason": "lost phone"}}),
    _account("egress", {"egress": {"proxyUrl": "http://proxy.example:3128", "registeredAddress": "203.0.113.1"}}),
    _account("nine", {"limits": {"ordersPerSecond": 9}}),
    _account("ten", {"limits": {"ordersPerSecond": 10}}, "ordersPerSecond must be from 1 to 9"),
    _account("zero", {"limits": {"ordersPerSecond": 0}}, "ordersPerSecond must be from 1 to 9"),
    _account("paper-without-source", {"broker": "paper"}, "a paper account needs marketDataSourceRef"),
    _account("source-at-broker", {"marketDataSourceRef": {"name": "a"}}, "only a paper account has"),
    _account("no-client", {"clientId": DELETE}, "clientId is required"),
    _account("no-such-broker", {"broker": "acme"}, "supported values", "Input should be"),
    _account("proxy-with-password", {"egress": {"proxyUrl": "http://u:p@proxy"}}, "egress.proxyUrl", "match pattern"),
    _account("halt-without-reason", {"halt": {}}, "spec.halt.reason: Required value", "Field required"),
)  # fmt: skip

SOURCES: Final = tuple(
    Sample(id=f"source-{name}", kind="MarketDataSource", change=change, message=message)
    for name, change, message in (
        ("base", {}, None),
        ("replay", {"synthetic": DELETE, "replay": {"world": "a", "speed": 0}}, None),
        ("broker", {"synthetic": DELETE, "broker": {"accountRef": {"name": "a"}}}, None),
        ("none", {"synthetic": DELETE}, "must have exactly one form: broker, replay or synthetic"),
        ("two", {"replay": {"world": "a"}}, "must have exactly one form: broker, replay or synthetic"),
        ("speed", {"synthetic": DELETE, "replay": {"world": "a", "speed": -1}}, "speed must be from 0"),
    )
)
TENANTS: Final = tuple(
    Sample(id=f"tenant-{name}", kind="Tenant", change=change, message=message, model=model)
    for name, change, message, model in (
        ("base", {}, None, None),
        ("all", {"quota": {"maxStrategies": 5, "cpu": "500m"}, "risk": {"maxLossPerDay": 1}}, None, None),
        ("halted", {"halt": {"reason": "drill"}}, None, None),
        ("owner", {"owner": "bob"}, "spec.owner", "match pattern"),
        ("memory", {"quota": {"memory": "much"}}, "spec.quota.memory", "match pattern"),
        ("loss", {"risk": {"maxLossPerDay": -5}}, "amount must be greater than 0", None),
    )
)

SAMPLES: Final = (*STRATEGIES, *ACCOUNTS, *SOURCES, *TENANTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A change of a strategy while a position is open. `base` is a change of the base spec, made before."""

    id: str
    change: Spec
    base: Spec = field(default_factory=dict)
    message: str | None = None


_PRICE: Final = {"stopLoss": {"price": 100.5}}
_SHORT: Final = {"side": "Sell", **_PRICE}
_NEARER: Final = "stopLoss may only come nearer while a position is open"
_FORM: Final = "stopLoss cannot change its form (price, percent, points) while a position is open"
_FROZEN: Final = "cannot change while a position is open; stop the strategy first"

UPDATES: Final = (
    Update(id="nothing", change={}),
    Update(id="sell-time", change={"sellTime": "14:00:00"}),
    Update(id="buy-time", change={"buyTime": "10:00:00"}),
    Update(id="stop-the-strategy", change={"desiredState": "Stopped"}),
    Update(id="target", change={"target": {"percent": 2}}),
    Update(id="nearer-percent", change={"stopLoss": {"percent": 0.5}}),
    Update(id="nearer-price", base=_PRICE, change={"stopLoss": {"price": 101}}),
    Update(id="nearer-points", base={"stopLoss": {"points": 5}}, change={"stopLoss": {"points": 4.5}}),
    Update(id="nearer-price-short", base=_SHORT, change={"stopLoss": {"price": 100}}),
    Update(id="symbol", change={"symbol": "TCS"}, message=f"symbol {_FROZEN}"),
    Update(id="exchange", change={"exchange": "BSE"}, message=f"exchange {_FROZEN}"),
    Update(id="side", change={"side": "Sell"}, message=f"side {_FROZEN}"),
    Update(id="product", change={"product": "Delivery"}, message=f"product {_FROZEN}"),
    Update(id="quantity", change={"quantity": 11}, message=f"quantity {_FROZEN}"),
    Update(id="account", change={"brokerAccountRef": {"name": "other"}}, message=f"brokerAccountRef {_FROZEN}"),
    Update(id="mode", change={"mode": "Live", "brokerAccountRef": {"name": "other"}}, message=f"mode {_FROZEN}"),
    Update(id="no-stop", change={"stopLoss": DELETE}, message="stopLoss cannot be removed while a position is open"),
    Update(id="other-form", change=_PRICE, message=_FORM),
    Update(id="farther-percent", change={"stopLoss": {"percent": 1.01}}, message=_NEARER),
    Update(id="farther-price", base=_PRICE, change={"stopLoss": {"price": 100.45}}, message=_NEARER),
    Update(id="farther-points", base={"stopLoss": {"points": 5}}, change={"stopLoss": {"points": 6}}, message=_NEARER),
    Update(id="farther-price-short", base=_SHORT, change={"stopLoss": {"price": 100.55}}, message=_NEARER),
)
