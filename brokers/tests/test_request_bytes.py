"""Requests as bytes: what h11 reads of them is what was meant, and nothing can slip a second request in."""

import h11
import pytest
from algo_brokers.http import FORM, HttpRequest, NothingSentError
from algo_brokers.request_bytes import RequestWriter
from hypothesis import given
from hypothesis import strategies as st

HEADERS = (("X-Version", "3"), ("Authorization", "token key:secret"))


def read(data: bytes) -> tuple[h11.Request, bytes]:
    """What a server reads."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    head = server.next_event()
    assert isinstance(head, h11.Request)
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert not server.trailing_data[0]
    return head, body


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("DELETE", b"", None),
        ("POST", b"", b"0"),
        ("PUT", b"a=1&b=%26", b"9"),
        ("DELETE", b"x", b"1"),
    ],
)
def test_a_server_reads_what_was_meant(method: str, body: bytes, length: bytes | None) -> None:
    headers = (*HEADERS, ("Content-Type", FORM)) if body else HEADERS
    writer = RequestWriter("broker.example:8443")
    for _ in range(2):  # the second time the head is remembered
        head, came = read(writer.bytes_of(HttpRequest(method, "/orders/regular/17?x=1", headers, body)))
        assert (head.method, head.target, came) == (method.encode(), b"/orders/regular/17?x=1", body)
        fields = dict(head.headers)
        assert fields.pop(b"host") == b"broker.example:8443"
        assert fields.pop(b"content-length", None) == length
        assert fields == {name.lower().encode(): value.encode() for name, value in headers}


def test_another_session_is_another_head() -> None:
    writer = RequestWriter("b")
    for token in [*"abcdefghijkl", "a"]:
        head, _ = read(writer.bytes_of(HttpRequest("GET", "/", (("Authorization", token),))))
        assert dict(head.headers)[b"authorization"] == token.encode()


BAD = ["\r\nX: y", "\n", "\x00", "é", "\x7f", "a\tb"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("where", ["method", "target", "name", "value"])
def test_what_could_end_a_line_is_not_sent(bad: str, where: str) -> None:
    parts = {"method": "GET", "target": "/x", "name": "N", "value": "v"}
    parts[where] += bad
    request = HttpRequest(parts["method"], parts["target"], ((parts["name"], parts["value"]),))
    with pytest.raises(NothingSentError) as caught:
        RequestWriter("b").bytes_of(request)
    assert bad not in str(caught.value)


def test_a_path_with_a_space_and_a_name_with_a_colon_are_not_sent() -> None:
    for request in (HttpRequest("GET", "/a b"), HttpRequest("GET", "/", (("A: b", "c"),))):
        with pytest.raises(NothingSentError):
            RequestWriter("b").bytes_of(request)


@given(target=st.text(max_size=30), name=st.text(max_size=12), value=st.text(max_size=30), body=st.binary(max_size=50))
def test_any_request_is_refused_or_read_as_one(target: str, name: str, value: str, body: bytes) -> None:
    request = HttpRequest("POST", f"/{target}", ((name, value),), body)
    try:
        data = RequestWriter("b").bytes_of(request)
    except NothingSentError:
        return
    try:
        head, came = read(data)
    except h11.RemoteProtocolError:
        # A header that contradicts our own (a second length): the server refuses it as a whole.
        assert name.lower() in ("host", "content-length", "transfer-encoding", "connection", "expect")
        return
    assert came == body or name.lower() == "content-length"
    assert head.target == f"/{target}".encode()
