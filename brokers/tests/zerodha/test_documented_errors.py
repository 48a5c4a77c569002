"""The documented list of error types and HTTP codes, walked: what each means for an order and for a read."""

import json

import pytest
from algo_brokers.errors import BrokerUnavailable, RequestRefused, SessionRefused, TooManyRequests
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import Rejected, Unknown
from algo_brokers.zerodha import responses
from algo_crds.contracts.orders import RejectKind

K = RejectKind
LISTED = [
    # error type, its usual HTTP code, kind of a refused write (None: the order may stand), error of a read
    ("TokenException", 403, K.SESSION, SessionRefused),
    ("PermissionException", 403, K.SESSION, RequestRefused),
    ("UserException", 403, K.SESSION, RequestRefused),
    ("TwoFAException", 403, K.SESSION, RequestRefused),
    ("InputException", 400, K.ORDER_OTHER, RequestRefused),
    ("OrderException", 400, K.ORDER_OTHER, RequestRefused),
    ("OrderException", 500, None, BrokerUnavailable),
    ("MarginException", 400, K.MARGIN, RequestRefused),
    ("HoldingException", 400, K.QUANTITY, RequestRefused),
    ("NetworkException", 429, K.RATE, TooManyRequests),
    ("NetworkException", 503, None, BrokerUnavailable),
    ("NetworkException", 504, None, BrokerUnavailable),
    ("DataException", 502, None, BrokerUnavailable),
    ("GeneralException", 500, None, BrokerUnavailable),
    ("GeneralException", 400, None, RequestRefused),
    ("GeneralException", 404, K.ORDER_OTHER, RequestRefused),
    ("GeneralException", 405, K.ORDER_OTHER, RequestRefused),
    ("GeneralException", 410, K.ORDER_OTHER, RequestRefused),
]
TYPES = {
    *("TokenException", "PermissionException", "UserException", "TwoFAException", "InputException", "OrderException"),
    *("MarginException", "HoldingException", "NetworkException", "DataException", "GeneralException"),
}
CODES = {400, 403, 404, 405, 410, 429, 500, 502, 503, 504}


def test_the_list_is_whole() -> None:
    assert {error_type for error_type, *_ in LISTED} == TYPES
    assert {status for _, status, *_ in LISTED} == CODES


@pytest.mark.parametrize(("error_type", "status", "kind", "raised"), LISTED)
def test_documented_error(error_type: str, status: int, kind: RejectKind | None, raised: type[Exception]) -> None:
    body = {"status": "error", "message": "as said", "error_type": error_type, "data": None}
    told = HttpAnswer(status, "application/json", json.dumps(body).encode())
    outcome = responses.write_outcome(told)
    if kind is None:
        assert outcome == Unknown(reason="as said")
    else:
        assert outcome == Rejected(kind=kind, message="as said", session_over=error_type == "TokenException")
    with pytest.raises(raised, match="as said") as caught:
        responses.read_data(told)
    assert type(caught.value) is raised


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, None), (403, K.SESSION), (404, None), (405, None), (410, None), (429, K.RATE)]
    + [(status, None) for status in (500, 502, 503, 504)],
)
def test_documented_code_with_a_page_for_a_body(status: int, kind: RejectKind | None) -> None:
    outcome = responses.write_outcome(HttpAnswer(status, "text/html", b"<html>"))
    assert (outcome.kind if isinstance(outcome, Rejected) else None) is kind
