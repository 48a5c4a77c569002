"""Every documented code, and what makes a refusal uncertain."""

import pytest
from algo_brokers.errors import (
    AddressRefused,
    BadAnswer,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.fyers import rejections
from algo_brokers.fyers.envelope import read_body, write_outcome
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_crds.contracts.orders import RejectKind as K
from fyers_stand import answer, error
from hypothesis import given
from hypothesis import strategies as st

CODES: dict[int, K | None] = {
    -8: K.SESSION,
    -15: K.SESSION,
    -16: K.SESSION,
    -17: K.SESSION,
    -50: K.ORDER_OTHER,
    -51: K.NOT_MODIFIABLE,
    -53: K.ORDER_OTHER,
    -96: None,
    -99: K.ORDER_OTHER,
    -101: K.ORDER_OTHER,
    -157: K.SESSION,
    -159: K.NOT_MODIFIABLE,
    -161: K.NOT_MODIFIABLE,
    -162: K.NOT_MODIFIABLE,
    -163: K.NOT_MODIFIABLE,
    -164: K.NOT_MODIFIABLE,
    -201: None,
    -202: None,
    -204: None,
    -205: None,
    -209: K.NOT_MODIFIABLE,
    -300: K.ORDER_OTHER,
    -305: K.PRODUCT,
    -308: K.PRICE,
    -309: K.PRICE,
    -310: K.QUANTITY,
    -311: K.PRICE,
    -313: K.ORDER_OTHER,
    -314: K.PRODUCT,
    -315: K.PRICE,
    -316: K.PRICE,
    -323: K.PRODUCT,
    -325: K.PRICE,
    -326: K.ORDER_OTHER,
    -327: K.QUANTITY,
    -328: K.ORDER_OTHER,
    -329: K.NOT_MODIFIABLE,
    -352: K.SESSION,
    -353: K.RATE,
    -371: K.SESSION,
    -372: K.PRICE,
    -373: K.SESSION,
    -374: K.SESSION,
    -390: K.PRICE,
    -392: K.TICK_SIZE,
    -397: K.QUANTITY,
    -398: K.QUANTITY,
    -399: K.NOT_MODIFIABLE,
    -429: K.RATE,
    -437: K.SESSION,
    -501: K.SESSION,
    201: None,
    400: K.ORDER_OTHER,
    429: K.RATE,
}


def test_the_table_here_has_every_documented_code() -> None:
    assert set(CODES) == set(rejections.DOCUMENTED)


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_documented_codes(code: int, kind: K | None) -> None:
    outcome = write_outcome(error(code, "something"))
    if kind is None:
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.kind is kind
        assert outcome.session_over is (code in (-8, -15, -16, -17))
    assert str(code) in (outcome.reason if isinstance(outcome, Unknown) else outcome.message)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("RED:Margin Shortfall:INR 120.00", K.MARGIN),
        ("Margin exceeds by 12", K.MARGIN),
        ("Insufficient funds in the account", K.MARGIN),
        ("insufficient margin", K.MARGIN),
        ("Insufficient balance", K.MARGIN),
        ("price must be a multiple of the tick size", K.TICK_SIZE),
        ("price beyond the circuit limit", K.BAND),
        ("Order price is outside the price band", K.BAND),
        ("order outside price range", K.BAND),
        ("price not within DPR range", K.BAND),
        ("stop price should be less than LTP", K.THROUGH),
        ("Stop price must be below the last traded price", K.THROUGH),
        ("trigger above LTP", K.THROUGH),
        ("trigger beyond the last traded price", K.THROUGH),
        ("trigger price too far from limit", K.GAP),
        ("stop price too far", K.GAP),
        ("Market is closed", K.CLOSED),
        ("The market is not open", K.CLOSED),
        ("order outside market hours", K.CLOSED),
        ("after the square off time", K.CLOSED),
        ("order already traded", K.NOT_MODIFIABLE),
        ("already cancelled", K.NOT_MODIFIABLE),
        ("already rejected", K.NOT_MODIFIABLE),
        ("this order may not be modified", K.NOT_MODIFIABLE),
        ("order cannot be cancelled", K.NOT_MODIFIABLE),
        ("invalid order id", K.NOT_MODIFIABLE),
        ("Order not found", K.NOT_MODIFIABLE),
        ("maximum number of modifications reached", K.TOO_MANY_CHANGES),
        ("modifications exceeded", K.TOO_MANY_CHANGES),
        ("quantity above the freeze", K.QUANTITY),
        ("not a multiple of the lot", K.QUANTITY),
        ("invalid quantity", K.QUANTITY),
        ("invalid qty", K.QUANTITY),
        ("not enough holdings", K.QUANTITY),
        ("product not allowed", K.PRODUCT),
        ("bad price", K.PRICE),
        ("who knows", K.ORDER_OTHER),
    ],
)
def test_texts_of_refused_orders(text: str, kind: K) -> None:
    assert rejections.kind_of_text(text) is kind
    outcome = write_outcome(error(-99, text, 200))
    assert isinstance(outcome, Rejected)
    assert outcome.kind is kind
    assert text in outcome.message


@pytest.mark.parametrize(
    ("given_", "kind"),
    [
        (error(-50, "request from an unregistered IP"), K.ADDRESS),
        (error(-373, "static IP mismatch for the app", 403), K.ADDRESS),
        (answer(403), K.ADDRESS),
        (answer(401), K.SESSION),
        (answer(429), K.RATE),
        (error(-50, "Too many requests, blocked for the day"), K.RATE),
        (HttpAnswer(429, "text/plain", b"slow down"), K.RATE),
        (error(-8, "expired", 500), K.SESSION),
        (error(-1234, "RED:Margin Shortfall"), K.MARGIN),
    ],
)
def test_refusals_before_the_order_system(given_: HttpAnswer, kind: K) -> None:
    outcome = write_outcome(given_)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is kind


@pytest.mark.parametrize(
    "given_",
    [
        error(-99, "RED:Margin Shortfall", 500),
        error(-50, "request timed out"),
        error(-1234, "who knows"),
        error(None, "who knows"),
        answer(502),
        HttpAnswer(200, "text/html", b"<html>"),
        HttpAnswer(200, "application/json", b"[" * 5000),
        answer(200, s="ok", code=1101),
        answer(200, s="ok", code=200, id="1"),
        answer(500, s="ok", code=1101, id="1"),
        answer(200, s="ok", code=1101, id=5),
        answer(200, s="ok", code=1e9, id="5"),
    ],
)
def test_what_was_not_seen_is_unknown(given_: HttpAnswer) -> None:
    assert isinstance(write_outcome(given_), Unknown)


@pytest.mark.parametrize("code", [1101, 1102, 1103])
def test_success(code: int) -> None:
    good = answer(200, s="ok", code=code, message="Order submitted successfully.", id="26112300000105")
    assert write_outcome(good) == Accepted(broker_order_id="26112300000105")


@pytest.mark.parametrize(
    ("given_", "raised"),
    [
        (error(-15, "Please provide valid token"), SessionRefused),
        (answer(401), SessionRefused),
        (error(-429, "slow down", 429), TooManyRequests),
        (answer(429), TooManyRequests),
        (answer(403), AddressRefused),
        (answer(500), BrokerUnavailable),
        (error(-96, "unexpected"), BrokerUnavailable),
        (error(-202, "no connection"), BrokerUnavailable),
        (error(-300, "invalid symbol"), RequestRefused),
        (error(-352, "invalid app id"), RequestRefused),
        (error(-1234, "who knows"), RequestRefused),
        (answer(200, s="no_data"), RequestRefused),
        (answer(200, candles=[]), BadAnswer),
        (HttpAnswer(200, "text/html", b"<html>"), BadAnswer),
        (answer(404, s="ok"), RequestRefused),
    ],
)
def test_failed_reads(given_: HttpAnswer, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        read_body(given_)


def test_good_reads() -> None:
    good = answer(200, s="ok", code=200, d=[])
    assert read_body(good) == good.body
    none = answer(200, s="no_data", candles=[])
    assert read_body(none, empty_is_good=True) == none.body
    with pytest.raises(RequestRefused):
        read_body(error(-50, "bad"), empty_is_good=True)


@given(
    st.integers(200, 599),
    st.fixed_dictionaries(
        {
            "s": st.sampled_from(["ok", "error", "no_data", ""]),
            "code": st.sampled_from([1101, 1102, 1103, 200, 201, -99, None, "x"]),
            "id": st.sampled_from(["26112300000105", "", None, 7]),
        }
    ),
)
def test_only_the_whole_documented_form_is_a_success(status: int, content: dict[str, object]) -> None:
    outcome = write_outcome(answer(status, **content))
    good = status < 300 and content["s"] == "ok" and content["code"] in (1101, 1102, 1103) and content["id"]
    assert isinstance(outcome, Accepted) is (good == "26112300000105")


@given(st.integers(200, 599), st.binary(max_size=200))
def test_arbitrary_bytes_are_never_a_certain_refusal_of_the_order(status: int, content: bytes) -> None:
    outcome = write_outcome(HttpAnswer(status, "application/json", content))
    assert not isinstance(outcome, Accepted)
    assert isinstance(outcome, Unknown) or outcome.kind in (K.SESSION, K.ADDRESS, K.RATE)
