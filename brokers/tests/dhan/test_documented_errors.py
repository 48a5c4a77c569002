"""The documented list of codes, walked: what each means for an order and for a read."""

import pytest
from algo_brokers.dhan import answers, rejections
from algo_brokers.errors import (
    AddressRefused,
    BrokerError,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.outcomes import Rejected, Unknown
from algo_crds.contracts.orders import RejectKind
from dhan_stand import answer, error

K = RejectKind
LISTED = [
    # code, HTTP code as seen, kind of a refused write (None: the order may stand), error of a read
    ("DH-901", 401, K.SESSION, SessionRefused),
    ("DH-902", 403, K.SESSION, RequestRefused),
    ("DH-903", 403, K.PRODUCT, RequestRefused),
    ("DH-904", 429, K.RATE, TooManyRequests),
    ("DH-905", 400, K.ORDER_OTHER, RequestRefused),
    ("DH-906", 400, K.ORDER_OTHER, RequestRefused),
    ("DH-907", 400, K.ORDER_OTHER, RequestRefused),
    ("DH-908", 500, None, BrokerUnavailable),
    ("DH-909", 502, None, BrokerUnavailable),
    ("DH-910", 400, None, RequestRefused),
    ("DH-911", 400, K.ADDRESS, AddressRefused),
    ("DH-1111", 400, K.ORDER_OTHER, RequestRefused),
    # the data family, also as reasons at the end of a socket
    ("800", 500, None, BrokerUnavailable),
    ("804", 400, K.ORDER_OTHER, RequestRefused),
    ("805", 400, K.RATE, TooManyRequests),
    ("806", 400, K.SESSION, RequestRefused),
    ("807", 401, K.SESSION, SessionRefused),
    ("808", 401, K.SESSION, SessionRefused),
    ("809", 401, K.SESSION, SessionRefused),
    ("810", 401, K.SESSION, SessionRefused),
    ("811", 400, K.ORDER_OTHER, RequestRefused),
    ("812", 400, K.ORDER_OTHER, RequestRefused),
    ("813", 400, K.ORDER_OTHER, RequestRefused),
    ("814", 400, K.ORDER_OTHER, RequestRefused),
    ("820", 400, K.SESSION, RequestRefused),
    ("821", 400, K.SESSION, RequestRefused),
]


def test_the_list_is_whole() -> None:
    main = {f"DH-{number}" for number in range(901, 912)} | {rejections.NO_HOLDINGS}
    data = {"800", *(str(number) for number in range(804, 815)), "820", "821"}
    assert {code for code, *_ in LISTED} == main | data
    assert data == set(rejections.MEANING)


@pytest.mark.parametrize(("code", "status", "kind", "raised"), LISTED)
def test_documented_code(code: str, status: int, kind: RejectKind | None, raised: type[BrokerError]) -> None:
    told = [error(status, code, "as said")]
    if not code.startswith("DH-"):
        told.append(answer(status, {"status": "failed", "data": {code: "as said"}}))
        told.append(answer(status, {"errorCode": int(code), "errorMessage": None}))
    for one in told:
        outcome = answers.write_outcome(one)
        if kind is None:
            assert isinstance(outcome, Unknown)
            assert f"({code})" in outcome.reason
        else:
            assert isinstance(outcome, Rejected)
            assert (outcome.kind, outcome.session_over) == (kind, raised is SessionRefused)
            assert f"({code})" in outcome.message
        with pytest.raises(BrokerError, match=code) as caught:
            answers.good(one)
        assert type(caught.value) is raised
