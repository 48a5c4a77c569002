"""Numbers and times in the forms that the broker mixes."""

from datetime import date
from decimal import Decimal

import pytest
from algo_brokers.angelone import amounts
from algo_brokers.errors import BadAnswer
from angelone_samples import AT
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "price"),
    [
        (None, 0),
        ("", 0),
        (" ", 0),
        (0, 0),
        (2870, 28700000),
        (2870.5, 28705000),
        ("2870.50", 28705000),
        ("- 9408.75", -94087500),
        ("-1.000000", -10000),
        (2869.123456, 28691235),
        ("0.00005", 0),
    ],
)
def test_prices(value: amounts.Number, price: int) -> None:
    assert amounts.price_of(value) == price


@pytest.mark.parametrize("value", ["x", "nan", "inf", float("inf"), float("nan"), "1e30", 10**12, "1,000"])
def test_what_is_no_number_is_an_error(value: amounts.Number) -> None:
    with pytest.raises(BadAnswer):
        amounts.price_of(value)
    with pytest.raises(BadAnswer):
        amounts.count_of(value)


@pytest.mark.parametrize(("value", "count"), [(None, 0), ("5", 5), (5, 5), (5.0, 5), ("- 5", -5), ("75.00", 75)])
def test_counts(value: amounts.Number, count: int) -> None:
    assert amounts.count_of(value) == count


def test_a_broken_quantity_is_an_error() -> None:
    with pytest.raises(BadAnswer, match="not whole"):
        amounts.count_of("5.5")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("26MAR2026", date(2026, 3, 26)),
        ("02-Mar-2026", date(2026, 3, 2)),
        ("31FEB2026", None),
        ("26XYZ2026", None),
        ("6MAR2026", None),
        ("AAMAR2026", None),
        ("", None),
    ],
)
def test_dates(text: str, day: date | None) -> None:
    assert amounts.date_of(text) == day


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("02-Mar-2026 10:45:07", AT),
        ("02-Mar-2026 10:45", 0),
        ("02-Mar-2026 25:45:07", 0),
        ("2026-03-02 10:45:07", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_instants(text: str | None, instant: int) -> None:
    assert amounts.instant_of(text) == instant


@given(st.text(max_size=30))
def test_arbitrary_text(text: str) -> None:
    amounts.instant_of(text)
    try:
        assert abs(amounts.decimal_of(text)) < Decimal(10) ** 12
    except BadAnswer:
        return
