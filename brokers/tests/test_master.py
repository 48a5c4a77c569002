"""Several lists become one table: what all say, the strictest of what they say, or nothing, and never in silence."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from algo_brokers.angelone import instruments as angelone
from algo_brokers.dhan import instruments as dhan
from algo_brokers.fyers import instruments as fyers
from algo_brokers.master import MasterInstrument, merge
from algo_brokers.records import BrokerInstrument
from algo_brokers.zerodha import instruments as zerodha
from algo_market.freeze_quantities import parse_freeze_quantities
from hypothesis import given
from hypothesis import strategies as st

BROKERS = ("angelone", "dhan", "fyers", "zerodha")
FUTURE = {"exchange": "NFO", "symbol": "NIFTY26DECFUT", "kind": "FUT", "lot": 65, "underlying": "NIFTY"}


def listed(**changes: Any) -> BrokerInstrument:
    values: dict[str, Any] = {
        "exchange": "NSE",
        "symbol": "RELIANCE",
        "token": 2885,
        "name": "RELIANCE",
        "tick_size": 1000,
        "lot": 1,
        "kind": "EQ",
    }
    return BrokerInstrument(**values | changes)


def only(**rows: BrokerInstrument) -> tuple[MasterInstrument, dict[str, str]]:
    """The one instrument of these brokers' rows, and what counts of each field that they disagree on."""
    master = merge({broker: [row] for broker, row in rows.items()})
    (one,) = master.instruments
    return one, {found.field: found.taken for found in master.disagreements}


def test_what_one_broker_says_and_the_others_do_not_counts() -> None:
    one, disagreements = only(
        zerodha=listed(token=738561, name="RELIANCE INDUSTRIES"),
        fyers=listed(token=7, isin="INE002A01018", band_low=10, band_high=20, broker_symbol="NSE:RELIANCE-EQ"),
        angelone=listed(token=9, closing_auction=True, freeze=50_000, broker_symbol="RELIANCE"),
    )
    assert not disagreements
    assert one == MasterInstrument(
        exchange="NSE",
        symbol="RELIANCE",
        name="RELIANCE INDUSTRIES",
        kind="EQ",
        tick_size=1000,
        lot=1,
        freeze_quantity=50_000,
        band_low=10,
        band_high=20,
        closing_auction=True,
        isin="INE002A01018",
        tokens={"angelone": 9, "fyers": 7, "zerodha": 738561},
        broker_symbols={"fyers": "NSE:RELIANCE-EQ"},
        also=("RELIANCE",),
    )


@pytest.mark.parametrize(("one", "other", "taken"), [(500, 1000, 1000), (100, 500, 500), (400, 1000, 0), (3, 2, 0)])
def test_two_tick_sizes_count_as_the_stricter_if_it_satisfies_both(one: int, other: int, taken: int) -> None:
    merged, disagreements = only(dhan=listed(tick_size=one), fyers=listed(tick_size=other))
    assert merged.tick_size == taken
    assert disagreements == {"tick_size": str(taken) if taken else ""}


def test_two_lots_that_do_not_fit_are_unknown() -> None:
    merged, disagreements = only(dhan=listed(**FUTURE), fyers=listed(**FUTURE | {"lot": 75}))
    assert (merged.lot, disagreements) == (0, {"lot": ""})


def test_the_smaller_freeze_quantity_counts_also_the_exchanges_own() -> None:
    lists = {"angelone": [listed(**FUTURE, freeze=1_800)], "fyers": [listed(**FUTURE, freeze=1_755)]}
    assert merge(lists).instruments[0].freeze_quantity == 1_755
    master = merge(lists, freezes={"NIFTY": 1_200})
    assert master.instruments[0].freeze_quantity == 1_200
    assert [(found.field, found.taken) for found in master.disagreements] == [("freeze", "1200")]
    assert master.disagreements[0].said == {"angelone": "1800", "fyers": "1755", "nse": "1200"}


def test_the_exchanges_freeze_quantity_is_no_limit_of_the_share() -> None:
    assert merge({"dhan": [listed()]}, freezes={"RELIANCE": 15_000}).instruments[0].freeze_quantity == 0


def test_a_band_is_the_part_that_all_bands_share() -> None:
    merged, _ = only(fyers=listed(band_low=90, band_high=110), dhan=listed(band_low=95, band_high=120))
    assert (merged.band_low, merged.band_high) == (95, 110)
    apart, disagreements = only(fyers=listed(band_low=90, band_high=95), dhan=listed(band_low=100, band_high=120))
    assert (apart.band_low, apart.band_high) == (0, 0)
    assert disagreements == {"band": ""}


def test_two_isins_or_expiries_or_kinds_are_none() -> None:
    merged, disagreements = only(
        fyers=listed(isin="INE1", expiry=date(2026, 12, 31), kind="FUT"),
        dhan=listed(isin="INE2", expiry=date(2026, 12, 29), kind="EQ"),
    )
    assert (merged.isin, merged.expiry, merged.kind) == ("", None, "")
    assert set(disagreements) == {"isin", "expiry", "kind"}


def test_what_any_broker_calls_an_index_cannot_be_traded() -> None:
    merged, disagreements = only(
        fyers=listed(symbol="NIFTY 50", kind="INDEX"), dhan=listed(symbol="NIFTY 50", kind="EQ", lot=9)
    )
    assert (merged.kind, merged.tick_size, merged.lot) == ("INDEX", 0, 0)
    assert disagreements == {"kind": "INDEX"}


def test_who_takes_part_in_the_closing_auction() -> None:
    def auction(underlyings: frozenset[str] | None, *said: bool | None) -> bool | None:
        rows = {str(number): [listed(closing_auction=one)] for number, one in enumerate(said)}
        return merge(rows, underlyings=underlyings).instruments[0].closing_auction

    assert auction(None, None) is None
    assert auction(frozenset({"RELIANCE"}), None) is True
    assert auction(frozenset({"TCS"}), None) is False
    assert auction(frozenset({"RELIANCE"}), False, None) is False
    assert auction(None, True, False) is True
    derivative = merge({"dhan": [listed(**FUTURE)]}, underlyings=frozenset({"NIFTY"})).instruments[0]
    assert derivative.closing_auction is None


def test_a_name_with_two_tokens_at_one_broker_has_none_there() -> None:
    master = merge({"dhan": [listed(token=1), listed(token=2)], "fyers": [listed(token=3)]})
    assert master.instruments[0].tokens == {"dhan": 0, "fyers": 3}
    assert [(found.field, found.said) for found in master.disagreements] == [("token", {"dhan": "1, 2"})]


rows = st.builds(
    listed,
    symbol=st.sampled_from(["RELIANCE", "TCS", ""]),
    token=st.integers(1, 5),
    tick_size=st.sampled_from([0, 100, 500, 1000, 300]),
    lot=st.sampled_from([0, 1, 25, 65, 75]),
    freeze=st.integers(0, 5),
    kind=st.sampled_from(["EQ", "INDEX", "FUT", ""]),
    isin=st.sampled_from(["", "INE1", "INE2"]),
    band_low=st.integers(0, 5),
    band_high=st.integers(0, 5),
    closing_auction=st.sampled_from([None, True, False]),
)


@given(st.dictionaries(st.sampled_from(BROKERS), st.lists(rows, max_size=4)))
def test_whatever_counts_satisfies_every_broker(lists: dict[str, list[BrokerInstrument]]) -> None:
    master = merge(lists)
    reported = {(found.symbol, found.field) for found in master.disagreements}
    assert master == merge(dict(reversed(list(lists.items()))))
    assert {one.symbol for one in master.instruments} == {row.symbol for some in lists.values() for row in some} - {""}
    for one in master.instruments:
        firsts = [next(row for row in lists[broker] if row.symbol == one.symbol) for broker in one.tokens]
        assert set(one.tokens) == {
            broker for broker, some in lists.items() if any(r.symbol == one.symbol for r in some)
        }
        for field in ("tick_size", "lot"):
            said = {getattr(row, field) for row in firsts} - {0}
            value = getattr(one, field)
            assert all(value % step == 0 for step in said)
            if one.kind != "INDEX" and len(said) > 1:
                assert (one.symbol, field) in reported
            if one.kind != "INDEX" and len(said) == 1:
                assert {value} == said
        freezes = {row.freeze for row in firsts} - {0}
        assert one.freeze_quantity == min(freezes, default=0)


@pytest.fixture
def excerpts() -> Path:
    root = os.environ.get("ALGO_DATA_DIR") or Path(__file__).parents[3] / "shared" / "data"
    folder = Path(root) / "scrip_master"
    if not folder.exists():
        pytest.skip(f"no recorded instrument lists at {folder}; set ALGO_DATA_DIR")
    return folder


@pytest.mark.data
def test_the_recorded_lists_become_one_table(excerpts: Path) -> None:
    angel = (excerpts / "angel_OpenAPIScripMaster.json").read_bytes()
    lists = {
        "angelone": angelone.parse(angel, "NSE", today=date(2026, 3, 2)),
        "dhan": dhan.parse((excerpts / "dhan_api-scrip-master.csv").read_bytes(), exchange="NSE").instruments,
        "fyers": fyers.parse_csv((excerpts / "fyers_NSE_CM.csv").read_bytes()),
        "zerodha": zerodha.parse((excerpts / "kite_instruments_nse.csv").read_bytes()),
    }
    freezes = parse_freeze_quantities((excerpts / "nse_qtyfreeze.csv").read_bytes())
    assert all(lists.values())
    master = merge(lists, freezes=freezes, underlyings=frozenset(freezes))
    by_symbol = {one.symbol: one for one in master.instruments}
    assert set(by_symbol) == {row.symbol for some in lists.values() for row in some}
    shared = [one for one in master.instruments if len(one.tokens) > 1]
    assert shared, "the excerpts overlap"
    assert by_symbol["NIFTY 50"].kind == "INDEX"
