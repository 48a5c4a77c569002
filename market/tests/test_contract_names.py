"""One name for an instrument."""

from datetime import date

import pytest
from algo_market.contract_names import derivative_symbol, index_symbol, monthly_expiries, share_symbol

R = 10_000


def test_shares() -> None:
    assert [share_symbol("RELIANCE", "EQ"), share_symbol("CENTRALBK", "BE")] == ["RELIANCE", "CENTRALBK-BE"]


@pytest.mark.parametrize("name", ["NIFTY50-INDEX", "Nifty 50", "NIFTY 50", "NIFTY"])
def test_an_index_has_one_name(name: str) -> None:
    assert index_symbol(name) == "NIFTY 50"


def test_derivatives() -> None:
    expiry = date(2026, 1, 6)
    assert derivative_symbol("NIFTY", date(2026, 1, 27), "FUT") == "NIFTY26JANFUT"
    assert derivative_symbol("NIFTY", date(2026, 1, 27), "CE", strike=24500 * R) == "NIFTY26JAN24500CE"
    assert derivative_symbol("NIFTY", expiry, "PE", strike=24500 * R, monthly=False) == "NIFTY2610624500PE"
    assert derivative_symbol("USDINR", date(2026, 12, 4), "CE", strike=842500, monthly=False) == "USDINR26D0484.25CE"


def test_monthly_expiries() -> None:
    pairs = [("NIFTY", date(2026, 1, day)) for day in (6, 13, 27)] + [("TCS", date(2026, 1, 27))]
    assert monthly_expiries(pairs) == {("NIFTY", date(2026, 1, 27)), ("TCS", date(2026, 1, 27))}
