"""Names of instruments, both ways."""

import pytest
from algo_brokers.errors import BadAnswer
from algo_brokers.fyers import names, topics
from algo_brokers.records import InstrumentRef


@pytest.mark.parametrize(
    ("codes", "theirs", "ours"),
    [
        ((10, 10), "NSE:SBIN-EQ", ("NSE", "SBIN")),
        ((10, 10), "NSE:M&M-EQ", ("NSE", "M&M")),
        ((10, 10), "NSE:BAJAJ-AUTO-EQ", ("NSE", "BAJAJ-AUTO")),
        ((10, 10), "NSE:SHYAMCENT-BE", ("NSE", "SHYAMCENT-BE")),
        ((10, 10), "NSE:PLAIN", ("NSE", "PLAIN")),
        ((10, 10), "NSE:NIFTY50-INDEX", ("NSE", "NIFTY 50")),
        ((10, 10), "NSE:NIFTYIT-INDEX", ("NSE", "NIFTYIT")),
        ((12, 10), "BSE:SBIN-A", ("BSE", "SBIN")),
        ((12, 10), "BSE:SENSEX-INDEX", ("BSE", "SENSEX")),
        ((10, 11), "NSE:NIFTY26DEC26000CE", ("NFO", "NIFTY26DEC26000CE")),
        ((10, 11), "NSE:NIFTY26D0826000PE", ("NFO", "NIFTY26D0826000PE")),
        ((11, 20), "MCX:CRUDEOIL26DECFUT", ("MCX", "CRUDEOIL26DECFUT")),
        ((10, 12), "NSE:USDINR26DECFUT", ("CDS", "USDINR26DECFUT")),
        ((77, 88), "XYZ:THING", ("XYZ", "THING")),
    ],
)
def test_canonical(codes: tuple[int, int], theirs: str, ours: tuple[str, str]) -> None:
    assert names.canonical(*codes, theirs) == ours


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("NSE", "M&M"), "NSE:M&M-EQ"),
        (("NSE", "NIFTY 50"), "NSE:NIFTY50-INDEX"),
        (("NFO", "NIFTY26DECFUT"), "NSE:NIFTY26DECFUT"),
        (("BFO", "SENSEX26DECFUT"), "BSE:SENSEX26DECFUT"),
        (("MCX", "CRUDEOIL26DECFUT"), "MCX:CRUDEOIL26DECFUT"),
    ],
)
def test_their_symbol_by_rule(ours: tuple[str, str], theirs: str) -> None:
    assert names.broker_symbol_of(InstrumentRef(exchange=ours[0], symbol=ours[1])) == theirs


def test_their_symbol_is_the_lists_where_it_is_known() -> None:
    known = InstrumentRef(exchange="BSE", symbol="SBIN", broker_symbol="BSE:SBIN-A")
    assert names.broker_symbol_of(known) == "BSE:SBIN-A"
    with pytest.raises(ValueError, match="read the instrument list"):
        names.broker_symbol_of(InstrumentRef(exchange="BSE", symbol="SBIN"))


@pytest.mark.parametrize(
    ("token", "topic"),
    [
        (10100000003045, "sf|nse_cm|3045"),
        (101000000011536, "sf|nse_cm|11536"),
        (101126122456789, "sf|nse_fo|56789"),
        (1012261224123456, "sf|cde_fo|123456"),
        (102026122412345, "sf|nse_com|12345"),
        (112026122412345, "sf|mcx_fo|12345"),
        (1210000000500112, "sf|bse_cm|500112"),
        (1211261224500112, "sf|bse_fo|500112"),
        (1212261224500112, "sf|bcs_fo|500112"),
    ],
)
def test_topics_come_from_the_token(token: int, topic: str) -> None:
    assert topics.price_topic(token) == topic
    assert topics.price_topic(token, kind=topics.DEPTH) == topic.replace("sf|", "dp|")


@pytest.mark.parametrize("token", [0, -5, 3045, 1010000000, 99990000003045])
def test_no_topic_of_what_is_no_token(token: int) -> None:
    with pytest.raises(ValueError, match="fyToken"):
        topics.price_topic(token)
    with pytest.raises(ValueError, match="fyToken"):
        topics.index_topic(token, "NSE:NIFTY50-INDEX", {})


@pytest.mark.parametrize(("exchange", "derivative"), [("NSE", False), ("BSE", False), ("NFO", True), ("MCX", True)])
def test_derivatives(exchange: str, derivative: bool) -> None:
    assert names.is_derivative(exchange) is derivative


def test_names_of_indices() -> None:
    listed = topics.index_names(b'{"NSE:NIFTY50-INDEX":"N50"}')
    assert topics.index_topic(101000000026000, "NSE:NIFTY50-INDEX", listed) == "if|nse_cm|N50"
    assert topics.index_topic(101000000026009, "NSE:NIFTYBANK-INDEX", listed) == "if|nse_cm|Nifty Bank"
    assert topics.index_topic(101000000026099, "NSE:OTHER-INDEX", listed) == "if|nse_cm|OTHER"
    with pytest.raises(BadAnswer):
        topics.index_names(b"[]")
