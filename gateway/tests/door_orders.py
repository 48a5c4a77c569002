"""Calls, rows and an open door for the door's tests."""

from datetime import date

import msgspec
from algo_brokers.limits import Window, Windows
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderClass, OrderRow, OrderStatus, OrderType, Product, Side
from algo_crds.contracts.tags import make_tag, strategy_hash
from algo_crds.contracts.tokens import AUDIENCE_RUNNER, ISSUER, RunnerClaims
from algo_gateway.door.door import Door
from algo_gateway.door.effects import Effect, Reply, Send

DAY = date(2021, 4, 12)
NOW = 1_000_000
SECOND = Window(length_ms=1_100, limit=8)
WINDOWS = Windows(writes=(SECOND,), reads={})
ONE, TWO = "str_01aaaaaaaaaaaaaaaaaaaaaaaa", "str_01bbbbbbbbbbbbbbbbbbbbbbbb"


def claims(strategy: str = ONE, epoch: int = 5, symbol: str = "RELIANCE") -> RunnerClaims:
    return RunnerClaims(
        iss=ISSUER,
        aud=AUDIENCE_RUNNER,
        sub=strategy,
        account="brk_1",
        epoch=epoch,
        exchange="NSE",
        symbol=symbol,
        product="Intraday",
    )


def tag(attempt: int, leg: Leg = Leg.STOP, strategy: str = ONE) -> str:
    return make_tag(strategy_hash(strategy), DAY, leg, attempt)


def place(req: int, order_class: OrderClass = OrderClass.STOP, **changes: object) -> wire.Place:
    leg = Leg.ENTRY if order_class is OrderClass.ENTRY else Leg.STOP
    values: dict[str, object] = {
        "req": req,
        "tag": tag(req, leg),
        "leg": leg,
        "order_class": order_class,
        "side": Side.BUY if leg is Leg.ENTRY else Side.SELL,
        "type": OrderType.LIMIT,
        "quantity": 1,
        "price": 1,
        "product": Product.INTRADAY,
        "send_before": NOW + 2_000,
    }
    return wire.Place(**{**values, **changes})  # type: ignore[arg-type]


def modify(req: int, order_class: OrderClass = OrderClass.EXIT, **changes: object) -> wire.Modify:
    values: dict[str, object] = {
        "req": req,
        "broker_order_id": "17",
        "tag": tag(1),
        "order_class": order_class,
        "type": OrderType.LIMIT,
        "quantity": 1,
        "price": 1,
        "send_before": NOW + 2_000,
    }
    return wire.Modify(**{**values, **changes})  # type: ignore[arg-type]


def row(broker_order_id: str, tag_text: str | None, **changes: object) -> OrderRow:
    values: dict[str, object] = {
        "broker_order_id": broker_order_id,
        "tag": tag_text,
        "exchange": "NSE",
        "symbol": "RELIANCE",
        "product": Product.INTRADAY,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "quantity": 10,
        "price": 1,
        "status": OrderStatus.OPEN,
    }
    return OrderRow(**{**values, **changes})  # type: ignore[arg-type]


def open_door(windows: Windows = WINDOWS) -> Door:
    door = Door(windows)
    door.gate = msgspec.structs.replace(door.gate, halts_known=True, session=True)
    door.book([], NOW - 10_000, restore=False)
    return door


def refusal(effects: list[Effect]) -> wire.Rejected:
    (effect,) = effects
    assert isinstance(effect, Reply)
    assert isinstance(effect.message, wire.Rejected)
    return effect.message


def sent(effects: list[Effect]) -> list[Send]:
    return [effect for effect in effects if isinstance(effect, Send)]
