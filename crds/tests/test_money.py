"""Prices as text: the same as the decimal library says."""

from algo_crds.contracts.money import format_price, parse_price, to_decimal
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_text_is_the_exact_decimal_and_comes_back(price: int) -> None:
    text = format_price(price)
    assert text == str(to_decimal(price))
    assert parse_price(text) == price


def test_two_decimals_or_four() -> None:
    assert [format_price(price) for price in (0, 1, -5, 10_000, 20_159_500, 20_150)] == [
        "0.00",
        "0.0001",
        "-0.0005",
        "1.00",
        "2015.95",
        "2.0150",
    ]
