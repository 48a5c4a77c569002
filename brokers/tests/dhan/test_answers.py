"""Answers before anything is read from them: outcomes, errors of every shape, numbers and times."""

import json

import pytest
from algo_brokers.dhan import answers, rejections
from algo_brokers.errors import (
    AddressRefused,
    BadAnswer,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_crds.contracts.orders import RejectKind
from dhan_stand import answer, error
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("state", ["TRANSIT", "PENDING", "REJECTED", "CANCELLED"])
def test_a_success_is_accepted_whatever_state_it_names(status: int, state: str) -> None:
    good = answer(status, {"orderId": "312611234433", "orderStatus": state})
    assert answers.write_outcome(good) == Accepted(broker_order_id="312611234433")


CERTAIN = [
    (401, "DH-901", "Client ID or user generated access token is invalid or expired.", RejectKind.SESSION, True),
    (400, "DH-902", "no access to trading APIs", RejectKind.SESSION, False),
    (400, "DH-903", "segment not active", RejectKind.PRODUCT, False),
    (429, "DH-904", "Too many requests", RejectKind.RATE, False),
    (400, "DH-904", "Too many requests", RejectKind.RATE, False),
    (400, "DH-905", "Missing required fields, bad values for parameters etc.", RejectKind.ORDER_OTHER, False),
    (400, "DH-905", "Invalid quantity", RejectKind.QUANTITY, False),
    (400, "DH-906", "Trigger Price should be greater than Price", RejectKind.PRICE, False),
    (400, "DH-906", "Market is Closed! You cannot modify/cancel an order now.", RejectKind.CLOSED, False),
    (400, "DH-906", "Invalid Token", RejectKind.SESSION, True),
    (400, "DH-906", "Incorrect request for order and cannot be processed", RejectKind.ORDER_OTHER, False),
    (400, "DH-907", "no data", RejectKind.ORDER_OTHER, False),
    (400, "DH-911", "Invalid IP", RejectKind.ADDRESS, False),
    (200, "DH-911", "Invalid IP", RejectKind.ADDRESS, False),
    (400, "DH-1111", "no holdings", RejectKind.ORDER_OTHER, False),
    (429, "", "", RejectKind.RATE, False),
    (401, "", "", RejectKind.SESSION, True),
    (403, "", "", RejectKind.BROKER_DOWN, False),
]


@pytest.mark.parametrize(("status", "code", "message", "kind", "over"), CERTAIN)
def test_certain_refusals(status: int, code: str, message: str, kind: RejectKind, over: bool) -> None:
    told = error(status, code, message) if code else HttpAnswer(status, "text/html", b"<html>")
    outcome = answers.write_outcome(told)
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.session_over) == (kind, over)
    assert code in outcome.message
    assert message in outcome.message


@pytest.mark.parametrize(
    "told",
    [
        error(500, "DH-908", "Internal Server Error"),
        error(502, "DH-909", "Network Error"),
        error(400, "DH-910", "Others"),
        error(400, "DH-906", "Transaction has Failed"),
        error(400, "DH-999", "a code that nobody documented"),
        answer(500, {"status": "failed", "data": {"800": "Internal Server Error"}}),
        answer(404, {"timestamp": 1795412345000, "status": 404, "error": "Not Found", "path": "/v2/x"}),
        answer(400, {"errorCode": "NONE", "httpStatus": "BAD_REQUEST", "internalErrorCode": "RS-9005"}),
        answer(200, {"status": "success"}),
        HttpAnswer(200, "application/json", b""),
        HttpAnswer(204, "", b""),
        HttpAnswer(301, "text/html", b"<html>"),
        HttpAnswer(502, "text/html", b"<html>Bad Gateway</html>"),
        HttpAnswer(200, "application/json", b"\xff"),
        HttpAnswer(400, "application/json", b"[" * 5000),
    ],
)
def test_what_is_not_certain_is_unknown(told: HttpAnswer) -> None:
    assert isinstance(answers.write_outcome(told), Unknown)


DATA_CODES = {
    "800": BrokerUnavailable,
    "804": RequestRefused,
    "805": TooManyRequests,
    "806": RequestRefused,
    "807": SessionRefused,
    "808": SessionRefused,
    "809": SessionRefused,
    "810": SessionRefused,
    "811": RequestRefused,
    "812": RequestRefused,
    "813": RequestRefused,
    "814": RequestRefused,
    "820": RequestRefused,
    "821": RequestRefused,
}


@pytest.mark.parametrize(("code", "kind"), DATA_CODES.items())
def test_codes_of_the_data_family_in_both_shapes(code: str, kind: type[Exception]) -> None:
    for told in (
        answer(400, {"status": "failed", "data": {code: "text"}}),
        answer(400, {"errorCode": int(code), "errorMessage": None}),
    ):
        with pytest.raises(kind, match=code):
            answers.good(told)
        outcome = answers.write_outcome(told)
        assert isinstance(outcome, Unknown if code == "800" else Rejected)
    assert set(rejections.MEANING) == set(DATA_CODES)


@pytest.mark.parametrize(
    ("told", "kind", "text"),
    [
        (error(401, "DH-901", "expired"), SessionRefused, "log in again"),
        (error(400, "DH-906", "Invalid Token"), SessionRefused, "a login elsewhere ends this session"),
        (error(400, "DH-911", "Invalid IP"), AddressRefused, "Invalid IP"),
        (error(429, "DH-904", "slow down"), TooManyRequests, "slow down"),
        (error(500, "DH-908"), BrokerUnavailable, "DH-908"),
        (error(200, "DH-909"), BrokerUnavailable, "DH-909"),
        (error(400, "DH-902", "no plan"), RequestRefused, "no plan"),
        (error(400, "DH-907", "no data"), RequestRefused, "no data"),
        (error(400, "DH-910", "others"), RequestRefused, "others"),
        (HttpAnswer(503, "text/html", b"<html>"), BrokerUnavailable, "HTTP 503"),
        (HttpAnswer(429, "text/html", b"<html>"), TooManyRequests, "HTTP 429"),
        (HttpAnswer(302, "text/html", b""), RequestRefused, "HTTP 302"),
        (answer(404, {"status": 404, "error": "Not Found", "path": "/v2/x"}), RequestRefused, "HTTP Not Found"),
        (answer(400, {"internalErrorCode": "RS-9005", "internalErrorMessage": "old"}), RequestRefused, "old"),
        (answer(400, {"internalErrorCode": "RS-9005"}), RequestRefused, "RS-9005"),
        (answer(400, {"status": "failed", "data": {}}), RequestRefused, "HTTP 400"),
        (answer(400, {"errorCode": "DH-905"}), RequestRefused, "DH-905"),
    ],
)
def test_errors_of_reads(told: HttpAnswer, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text) as caught:
        answers.good(told)
    assert type(caught.value) is kind


def test_a_good_answer_is_its_body() -> None:
    assert answers.good(answer(200, [])) == b"[]"
    assert answers.good(answer(200, {"data": {"NSE_EQ": {}}, "status": "success"})).startswith(b'{"data"')


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Maximum number of modifications reached", RejectKind.TOO_MANY_CHANGES),
        ("Insufficient Funds, Rs 100 short", RejectKind.MARGIN),
        ("RMS:Margin Exceeds", RejectKind.MARGIN),
        ("EXCH:16316:Price not a multiple of tick size", RejectKind.TICK_SIZE),
        ("Rate Not Within Circuit Limits", RejectKind.BAND),
        ("trigger price above last traded price", RejectKind.THROUGH),
        ("Difference between trigger and limit is too large", RejectKind.GAP),
        ("Order already traded", RejectKind.NOT_MODIFIABLE),
        ("Quantity exceeds freeze limit", RejectKind.QUANTITY),
        ("Insufficient holdings", RejectKind.QUANTITY),
        ("Product not allowed", RejectKind.PRODUCT),
        ("Invalid price", RejectKind.PRICE),
        ("", RejectKind.ORDER_OTHER),
    ],
)
def test_texts_of_rejected_orders(text: str, kind: RejectKind) -> None:
    assert rejections.kind_of_text(text) is kind


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23 09:20:11", 1_795_405_811_000),
        ("23/11/2026 09:20:11", 1_795_405_811_000),
        ("2026-11-23T09:20:11.000", 1_795_405_811_000),
        ("2026-11-23T09:20:11", 1_795_405_811_000),
        ("23/11/2026 09:20", 1_795_405_800_000),
        ("01/01/1980 00:00:00", 0),
        ("0001-01-01 00:00:00", 0),
        ("NA", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_times_are_india_s(text: str | None, instant: int) -> None:
    assert answers.instant_of(text) == instant


def test_prices_and_placeholders() -> None:
    assert [answers.price(value) for value in (None, 0, 1605.45, -2.5)] == [0, 0, 16054500, -25000]
    for value in (float("inf"), float("nan"), 1e12):
        with pytest.raises(BadAnswer):
            answers.price(value)
    assert [answers.word(text) for text in (None, "", "NA", "0", "x")] == [None, None, None, None, "x"]


@given(st.integers(100, 599), st.binary(max_size=300))
def test_arbitrary_answers_are_an_outcome_and_an_error_or_a_body(status: int, body: bytes) -> None:
    told = HttpAnswer(status, "application/json", body)
    outcome = answers.write_outcome(told)
    if isinstance(outcome, Accepted):
        assert json.loads(body)["orderId"]
    if not 200 <= status < 300:
        assert isinstance(answers.read_error(told), Exception)
