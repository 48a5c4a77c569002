"""Answers to writes and reads in every shape, and every documented code."""

import pytest
from algo_brokers.angelone import envelope, rejections
from algo_brokers.errors import (
    AddressRefused,
    BadAnswer,
    BrokerError,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import Accepted, Rejected, Unknown
from algo_crds.contracts.orders import RejectKind
from angelone_samples import EMPTY, PAGE, RATE, application_error, gateway_error, raw, success
from hypothesis import given
from hypothesis import strategies as st

K = RejectKind

DOCUMENTED = [
    # code, kind of a refused write (None: the order may stand), error of a read
    ("AG8001", K.SESSION, SessionRefused),
    ("AG8002", K.SESSION, SessionRefused),
    ("AG8003", K.SESSION, RequestRefused),
    ("AG8004", K.SESSION, RequestRefused),
    ("AG7002", K.ADDRESS, AddressRefused),
    ("AB8050", K.SESSION, SessionRefused),
    ("AB8051", K.SESSION, SessionRefused),
    ("AB1000", K.SESSION, RequestRefused),
    ("AB1001", K.SESSION, RequestRefused),
    ("AB1002", K.SESSION, RequestRefused),
    ("AB1003", K.SESSION, RequestRefused),
    ("AB1004", None, BrokerUnavailable),
    ("AB1005", K.SESSION, RequestRefused),
    ("AB1006", K.SESSION, RequestRefused),
    ("AB1007", K.ORDER_OTHER, RequestRefused),
    ("AB1008", K.ORDER_OTHER, RequestRefused),
    ("AB1009", K.ORDER_OTHER, RequestRefused),
    ("AB1010", K.SESSION, SessionRefused),
    ("AB1011", K.SESSION, SessionRefused),
    ("AB1012", K.PRODUCT, RequestRefused),
    ("AB1013", K.NOT_MODIFIABLE, RequestRefused),
    ("AB1014", K.ORDER_OTHER, RequestRefused),
    ("AB1015", K.QUANTITY, RequestRefused),
    ("AB1016", K.QUANTITY, RequestRefused),
    ("AB1017", K.ORDER_OTHER, RequestRefused),
    ("AB1018", K.ORDER_OTHER, RequestRefused),
    ("AB1021", K.RATE, TooManyRequests),
    ("AB1031", K.SESSION, RequestRefused),
    ("AB1032", K.SESSION, RequestRefused),
    ("AB1050", K.SESSION, RequestRefused),
    ("AB2000", None, BrokerUnavailable),
    ("AB2001", None, BrokerUnavailable),
    ("AB2002", K.PRODUCT, RequestRefused),
    ("AB4008", K.ORDER_OTHER, RequestRefused),
    ("AB4018", K.ORDER_OTHER, RequestRefused),
    ("AB9000", None, BrokerUnavailable),
    ("AB9001", K.ORDER_OTHER, RequestRefused),
    ("AB9002", K.ORDER_OTHER, RequestRefused),
    ("AB9003", K.SESSION, RequestRefused),
    ("AB9004", K.ORDER_OTHER, RequestRefused),
    ("AB9005", K.SESSION, SessionRefused),
    ("AB9006", K.QUANTITY, RequestRefused),
    ("AB9007", K.QUANTITY, RequestRefused),
    ("AB9008", K.PRICE, RequestRefused),
    ("AB9009", K.PRICE, RequestRefused),
    ("AB9010", K.PRODUCT, RequestRefused),
    ("AB9011", K.ORDER_OTHER, RequestRefused),
    ("AB9012", K.ORDER_OTHER, RequestRefused),
    ("AB9013", K.NOT_MODIFIABLE, RequestRefused),
    ("AB9014", K.ORDER_OTHER, RequestRefused),
    ("AB9015", K.PRODUCT, RequestRefused),
    ("AB9016", K.ORDER_OTHER, RequestRefused),
    ("AB9017", K.ORDER_OTHER, RequestRefused),
    ("AB9018", K.ORDER_OTHER, RequestRefused),
]


@pytest.mark.parametrize("shape", [application_error, gateway_error])
@pytest.mark.parametrize(("code", "kind", "error"), DOCUMENTED)
def test_every_documented_code(code: str, kind: RejectKind | None, error: type[BrokerError], shape: object) -> None:
    answer = shape(code, "as said")  # type: ignore[operator]
    for outcome in (envelope.place_outcome(answer), envelope.change_outcome(answer), envelope.rule_outcome(answer)):
        if kind is None:
            assert isinstance(outcome, Unknown)
            assert outcome.reason == f"{code} as said"
        else:
            assert isinstance(outcome, Rejected)
            assert (outcome.kind, outcome.message) == (kind, f"as said ({code})")
    with pytest.raises(BrokerError) as caught:
        envelope.read_data(answer)
    assert type(caught.value) is error


def test_the_table_has_every_code_of_the_module() -> None:
    assert {code for code, _, _ in DOCUMENTED} == {*rejections.CERTAIN, *rejections.UNCERTAIN, rejections.GENERIC}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Order price is beyond the Limit Price Protection range defined by the exchange.", K.BAND),
        (
            "Difference between limit price and trigger price for SL Limit Order is beyond the exchange's "
            "Permissible range of <2%>.",
            K.GAP,
        ),
        ("Difference of limit price and trigger price too large", K.GAP),
        ("Price is outside the circuit limits", K.BAND),
        ("Beyond the price band", K.BAND),
        ("Out of the operating range", K.BAND),
        ("Not in the price range", K.BAND),
        ("Price not a multiple of tick size", K.TICK_SIZE),
        ("Price must be a multiple of 0.10", K.TICK_SIZE),
        ("Trigger price must be below the last traded price", K.THROUGH),
        ("Trigger above market price", K.THROUGH),
        ("Trigger price cannot be equal to LTP", K.THROUGH),
        ("Insufficient funds in the account", K.MARGIN),
        ("Insufficient margin", K.MARGIN),
        ("Margin shortfall", K.MARGIN),
        ("RMS: Margin Exceeds, Cash Available", K.MARGIN),
        ("Cancel Order Response : Bad Input", K.NOT_MODIFIABLE),
        ("Maximum modifications reached", K.TOO_MANY_CHANGES),
        ("Modifications exceeded", K.TOO_MANY_CHANGES),
        ("Order cannot be modified", K.NOT_MODIFIABLE),
        ("Order cannot be cancelled", K.NOT_MODIFIABLE),
        ("Order not found", K.NOT_MODIFIABLE),
        ("Order is already complete", K.NOT_MODIFIABLE),
        ("Order already cancelled", K.NOT_MODIFIABLE),
        ("Order already rejected", K.NOT_MODIFIABLE),
        ("Market is closed", K.CLOSED),
        ("Market not open", K.CLOSED),
        ("After market orders are not taken now", K.CLOSED),
        ("Square off time is over", K.CLOSED),
        ("Freeze quantity crossed", K.QUANTITY),
        ("Not a multiple of lot size", K.QUANTITY),
        ("No holdings to sell", K.QUANTITY),
        ("Invalid Quantity", K.QUANTITY),
        ("Intraday is blocked for this scrip", K.PRODUCT),
        ("Intraday not allowed", K.PRODUCT),
        ("Invalid product type", K.PRODUCT),
        ("Invalid price", K.PRICE),
        ("Something else", K.ORDER_OTHER),
    ],
)
def test_the_generic_code_is_read_by_its_text(text: str, kind: RejectKind) -> None:
    outcome = envelope.place_outcome(application_error("AB1007", text))
    assert isinstance(outcome, Rejected)
    assert outcome.kind is kind


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("AB1007", "Request timed out", None),
        ("AB1007", "Something went wrong, please try after some time", None),
        ("AB1007", "Too many requests", K.RATE),
        ("XX1", "Access denied: Unregistered IP address. Register your IP before retrying.", K.ADDRESS),
        ("XX1", "Invalid price", None),
        ("XX1", "exceeding access rate", K.RATE),
    ],
)
def test_texts_beside_codes(code: str, text: str, kind: RejectKind | None) -> None:
    outcome = envelope.change_outcome(application_error(code, text))
    assert (outcome.kind if isinstance(outcome, Rejected) else None) is kind


def test_accepted_with_both_ids() -> None:
    ids: list[tuple[str, str]] = []
    data = {"script": "RELIANCE-EQ", "orderid": "17", "uniqueorderid": "u-17"}
    outcome = envelope.place_outcome(success(data), lambda order, unique: ids.append((order, unique)))
    assert outcome == Accepted(broker_order_id="17")
    envelope.place_outcome(success({"orderid": "18"}), lambda order, unique: ids.append((order, unique)))
    assert ids == [("17", "u-17"), ("18", "18")]
    assert envelope.place_outcome(success(data)) == Accepted(broker_order_id="17")
    assert envelope.rule_outcome(success({"id": 1900042})) == Accepted(broker_order_id="1900042")


@pytest.mark.parametrize("data", [None, "", {}, [], {"orderid": ""}, {"orderid": None}, {"id": None}])
def test_success_without_an_id_is_unknown(data: object) -> None:
    assert isinstance(envelope.place_outcome(success(data)), Unknown)
    assert isinstance(envelope.change_outcome(success(data)), Unknown)
    assert isinstance(envelope.rule_outcome(success(data)), Unknown)


@pytest.mark.parametrize(
    "answer",
    [
        PAGE,
        EMPTY,
        HttpAnswer(403, "text/html", b"<html>Request Rejected</html>"),
        HttpAnswer(403, "", b""),
        HttpAnswer(200, "application/json", b"[1]"),
        HttpAnswer(200, "application/json", b'{"status": "maybe"}'),
        HttpAnswer(200, "text/plain", b"what"),
        HttpAnswer(401, "text/plain", b"no"),
        HttpAnswer(500, "application/json", raw({"status": True, "data": {"orderid": "1"}})),
        application_error("AB1012", "wrong product", status=502),
        application_error("", "no code"),
        HttpAnswer(200, "application/json", b"{}"),
    ],
)
def test_what_is_no_answer_of_the_application_is_unknown_and_unavailable(answer: HttpAnswer) -> None:
    for outcome in (envelope.place_outcome(answer), envelope.change_outcome(answer), envelope.rule_outcome(answer)):
        assert isinstance(outcome, Unknown)
        assert outcome.reason
    with pytest.raises(BrokerUnavailable):
        envelope.read_data(answer)


@pytest.mark.parametrize(
    ("answer", "place_is_certain"),
    [
        (RATE, False),
        (HttpAnswer(429, "text/plain", b"slow down"), True),
        (application_error("", "x", status=429), True),
    ],
)
def test_rate_limits(answer: HttpAnswer, place_is_certain: bool) -> None:
    for outcome, certain in (
        (envelope.place_outcome(answer), place_is_certain),
        (envelope.change_outcome(answer), True),
        (envelope.rule_outcome(answer), True),
    ):
        if certain:
            assert isinstance(outcome, Rejected)
            assert outcome.kind is RejectKind.RATE
        else:
            assert isinstance(outcome, Unknown)
    with pytest.raises(TooManyRequests):
        envelope.read_data(answer)


def test_a_rate_limit_with_a_code() -> None:
    with pytest.raises(TooManyRequests):
        envelope.read_data(gateway_error("AG9999", "slow down", status=429))


@pytest.mark.parametrize(("code", "over"), [("AG8001", False), ("AG8002", True), ("AB1010", True), ("AG8003", False)])
def test_a_dead_session_is_told_where_it_is_certain(code: str, over: bool) -> None:
    outcome = envelope.place_outcome(gateway_error(code, "x", status=401))
    assert isinstance(outcome, Rejected)
    assert outcome.session_over is over


@pytest.mark.parametrize("code", sorted(rejections.NOT_FOUND))
def test_books_that_are_not_found_are_empty(code: str) -> None:
    assert envelope.read_list(application_error(code, "not found")) == b"[]"
    with pytest.raises(BrokerUnavailable):
        envelope.read_list(application_error(code, "not found", status=500))


def test_books() -> None:
    assert envelope.read_list(success(None)) == b"[]"
    assert envelope.read_list(success("")) == b"[]"
    assert envelope.read_list(success([1])) == b"[1]"
    assert envelope.read_data(success({"a": 1})) == b'{"a": 1}'
    with pytest.raises(SessionRefused):
        envelope.read_list(gateway_error("AG8002", "Token Expired"))
    with pytest.raises(BadAnswer):
        envelope.decode(b"[1", list, "list")


@given(st.integers(100, 599), st.sampled_from(["application/json", "text/html", "text/plain", ""]), st.binary())
def test_arbitrary_answers_are_never_accepted(status: int, kind: str, body: bytes) -> None:
    answer = HttpAnswer(status, kind, body)
    assert not isinstance(envelope.place_outcome(answer), Accepted)
    assert not isinstance(envelope.change_outcome(answer), Accepted)
    with pytest.raises(BrokerError):
        envelope.read_data(answer)
