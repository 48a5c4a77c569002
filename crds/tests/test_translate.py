"""Specs to the runtime contract and views to `.status`: exact, complete, and in the form of the schema."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from algo_crds.contracts import runtime
from algo_crds.contracts.money import NotAPriceError, parse_price
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Product, Side
from algo_crds.resources.strategy import Strategy, StrategySpec, StrategyStatus
from algo_crds.resources.translate import desired, runtime_spec, strategy_status
from hypothesis import given
from hypothesis import strategies as st

BASE: dict[str, Any] = {"symbol": "TCS", "quantity": 7, "buyTime": "09:20:00", "sellTime": "15:05:00"}


def spec(**change: Any) -> StrategySpec:
    return StrategySpec.model_validate({**BASE, "stopLoss": {"percent": Decimal("1")}, **change})


def test_the_shortest_spec() -> None:
    assert runtime_spec(spec()) == runtime.StrategySpec(
        exchange="NSE",
        symbol="TCS",
        side=Side.BUY,
        quantity=7,
        buy_time=9 * 3600 + 20 * 60,
        sell_time=15 * 3600 + 5 * 60,
        stop_loss=runtime.Level(bp=100),
    )


def test_every_field() -> None:
    made = runtime_spec(
        spec(
            exchange="NFO",
            side="Sell",
            stopLoss={"price": Decimal("100.05")},
            target={"points": Decimal("4.5")},
            trailing={"percent": Decimal("0.5"), "step": Decimal("0.1")},
            mode="Live",
            brokerAccountRef={"name": "main"},
            repeat="Once",
            onStop="KeepProtected",
            limits={"maxLossPerDay": Decimal("1000.5"), "maxSlippagePercent": Decimal("0.25")},
        )
    )
    assert made.stop_loss == runtime.Level(price=1_000_500)
    assert made.target == runtime.Level(points=45_000)
    assert made.trailing == runtime.Level(bp=50)
    assert made.trailing_step == runtime.Level(bp=10)
    assert (made.live, made.repeat_daily, made.keep_on_stop) == (True, False, True)
    assert (made.max_loss_per_day, made.max_slippage_bp) == (10_005_000, 25)
    assert made.product is Product.INTRADAY
    assert runtime_spec(spec(trailing={"points": Decimal(3), "step": Decimal(1)})).trailing_step == runtime.Level(
        points=10_000
    )


@pytest.mark.parametrize(
    ("state", "on_stop", "wanted"),
    [
        ("Running", "ExitPosition", runtime.Desired.RUN),
        ("Running", "KeepProtected", runtime.Desired.RUN),
        ("Stopped", "ExitPosition", runtime.Desired.STOP_EXIT),
        ("Stopped", "KeepProtected", runtime.Desired.STOP_KEEP),
    ],
)
def test_desired(state: str, on_stop: str, wanted: runtime.Desired) -> None:
    assert desired(spec(desiredState=state, onStop=on_stop)) is wanted


@given(st.decimals(min_value="0.0001", max_value="10000000", places=4))
def test_a_price_is_exact_through_json(price: Decimal) -> None:
    """A JSON number becomes the same `Price`, whatever its four decimals."""
    text = f'{{"symbol":"A","quantity":1,"buyTime":"09:20:00","sellTime":"10:00:00","stopLoss":{{"price":{price}}}}}'
    made = runtime_spec(StrategySpec.model_validate_json(text))
    assert made.stop_loss.price == parse_price(price)


def test_a_spec_that_no_rule_has_seen_is_not_rounded() -> None:
    unchecked = spec().model_copy(update={"limits": None})
    stop = unchecked.stop_loss.model_copy(update={"percent": Decimal("0.125")})
    with pytest.raises(NotAPriceError):
        runtime_spec(unchecked.model_copy(update={"stop_loss": stop}))


def view(**change: Any) -> runtime.StrategyView:
    fields: dict[str, Any] = {
        "strategy_id": "str_01hzy3v5w8k2m4n6p8q0r2s4t6",
        "epoch": 7,
        "generation": 3,
        "day": "2021-04-12",
        "now": 1_618_200_000_000,
        "phase": runtime.Phase.WAITING,
        "reason": "Armed",
        "message": "waits for 09:20:00",
        "conditions": {},
    }
    return runtime.StrategyView(**(fields | change))


def order(number: int) -> runtime.OrderView:
    return runtime.OrderView(
        tag=f"a0000000{number:08d}",
        leg=Leg.STOP,
        side=Side.SELL,
        type=OrderType.STOP_LIMIT,
        price=20_000_000,
        trigger=20_100_500,
        quantity=10,
        status=OrderStatus.TRIGGER_PENDING,
        time=1_618_200_000_000,
        wall_time=1_700_000_000_000,
    )


def test_a_flat_view_leaves_out_what_is_none() -> None:
    status = strategy_status(view(), pod="run-a")
    assert status == {
        "phase": "Waiting",
        "reason": "Armed",
        "message": "waits for 09:20:00",
        "conditions": [],
        "orders": [],
        "errors": [],
        "pnl": Decimal("0.00"),
        "strategyId": "str_01hzy3v5w8k2m4n6p8q0r2s4t6",
        "observedGeneration": 3,
        "runner": {"pod": "run-a", "epoch": 7},
    }


def test_a_held_view_is_what_the_schema_says() -> None:
    condition = runtime.ConditionView(status="True", reason="StopResting", since=1_618_200_000_123)
    status = strategy_status(
        view(
            phase=runtime.Phase.BOUGHT,
            conditions={"Ready": condition, "Protected": condition},
            held=10,
            entry_price=20_300_525,
            stop_price=20_100_500,
            last_price=20_250_000,
            pnl=-5_250,
            orders=tuple(order(number) for number in range(12)),
            protected_since=1_618_200_000_123,
            errors=("x" * 3000,),
        ),
        epoch=9,
    )
    assert status["position"] == {"quantity": 10, "averagePrice": Decimal("2030.0525")}
    assert (status["stopPrice"], status["lastPrice"], status["pnl"]) == (
        Decimal("2010.05"),
        Decimal("2025.00"),
        Decimal("-0.525"),
    )
    assert [one["tag"] for one in status["orders"]] == [f"a0000000{number:08d}" for number in range(4, 12)]
    assert [one["type"] for one in status["conditions"]] == ["Protected", "Ready"]
    assert status["conditions"][0]["lastTransitionTime"] == "2021-04-12T04:00:00.123Z"
    assert status["runner"] == {"epoch": 9}
    assert len(status["errors"][0]) == 1024
    read = StrategyStatus.model_validate(status)
    assert read.position is not None
    assert read.position.average_price == Decimal("2030.0525")


@pytest.mark.parametrize(("made", "shown"), [(1_700_000_000_000, "2023-11-14T22:13:20.000Z"), (0, None)])
def test_the_wall_time_of_an_order_is_absent_where_it_is_unknown(made: int, shown: str | None) -> None:
    status = strategy_status(view(orders=(msgspec.structs.replace(order(1), wall_time=made),)))
    assert status["orders"][0].get("wallTime") == shown
    assert status["orders"][0]["time"] == "2021-04-12T04:00:00.000Z"
    (read,) = StrategyStatus.model_validate(status).orders
    assert read.wall_time == (None if shown is None else datetime.fromisoformat(shown))


def test_names_of_the_status_are_those_of_the_model() -> None:
    full = strategy_status(
        view(
            held=1,
            entry_price=1,
            stop_price=1,
            last_price=1,
            protected_since=1,
            last_action="bought",
            exit_reason=runtime.ExitReason.STOP,
            orders=(order(1),),
        ),
        pod="run-a",
    )
    known = {field.alias for field in StrategyStatus.model_fields.values()}
    assert full.keys() == known


def test_a_newer_status_can_be_read() -> None:
    body = {"spec": {**BASE, "stopLoss": {"points": 1}}, "status": {"phase": "Sold", "invented": 1}}
    assert Strategy.model_validate(body).status is not None
