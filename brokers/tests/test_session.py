"""The session file, and that its secrets are nowhere to be seen."""

import pytest
from algo_brokers.errors import BadAnswer
from algo_brokers.session import Session, encode_session, hide, parse_session

CANARY = "canary-7f3a91"
HELD = Session(
    broker="zerodha", client_id="SM0001", api_key="key-canary", access_token=CANARY, login_time=1, valid_until=2
)


def test_round_trip() -> None:
    assert parse_session(encode_session(HELD)) == HELD


@pytest.mark.parametrize("text", [b"", b" \n", b"{}", b"{}\n"])
def test_nobody_logged_in(text: bytes) -> None:
    assert parse_session(text) is None


def test_a_broken_file_is_an_error_that_does_not_quote_it() -> None:
    with pytest.raises(BadAnswer) as caught:
        parse_session(encode_session(HELD)[:-5])
    assert CANARY not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_no_text_form_shows_the_secrets() -> None:
    for text in (repr(HELD), str(HELD), f"{HELD}", repr([HELD]), repr({"session": HELD})):
        assert CANARY not in text
        assert "key-canary" not in text


def test_hide() -> None:
    assert hide(f"token {CANARY} of key-canary", HELD) == "token <hidden> of <hidden>"
    assert hide("plain", None) == "plain"
