"""The broker session as it lies in the account's Secret, and a guard that keeps its secrets out of every text."""

from collections.abc import Iterable
from typing import Final

import msgspec

from algo_brokers.errors import BadAnswer

_HIDDEN: Final = "<hidden>"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One login at a broker. `login_time` and `valid_until` are instants (ms, UTC)."""

    broker: str
    client_id: str
    api_key: str
    access_token: str
    login_time: int
    valid_until: int
    feed_token: str = ""
    """What the market socket wants besides, where a broker has one."""
    refresh_token: str = ""

    def __repr__(self) -> str:
        """Without key and token: this text may reach a log."""
        return f"Session(broker={self.broker!r}, client_id={self.client_id!r}, valid_until={self.valid_until})"

    __str__ = __repr__


def parse_session(text: bytes) -> Session | None:
    """A session file; empty or `{}` means that nobody has logged in.

    Raises:
        BadAnswer: the file is no session. Its content is not part of the message.
    """
    stripped = text.strip()
    if stripped in (b"", b"{}"):
        return None
    try:
        return msgspec.json.decode(stripped, type=Session)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadAnswer("the session file is not a session; log in to the broker account again") from None


def encode_session(session: Session) -> bytes:
    """The session file's content. It holds secrets: write it to the Secret, nowhere else."""
    return msgspec.json.encode(session)


def blot(text: str, secrets: Iterable[str]) -> str:
    """The text with these secrets blotted out, the longer ones first."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, _HIDDEN)
    return text


def secrets_of(session: Session) -> tuple[str, ...]:
    """What of a session must not appear in any text."""
    return (session.access_token, session.api_key, session.feed_token, session.refresh_token)


class SessionState(msgspec.Struct, frozen=True, kw_only=True):
    """What a trader is told of the session."""

    valid: bool
    valid_until: int
    """Instant in ms; 0 without a session."""
    renewal: str
    """How to get the next one."""


def state_of(session: Session | None, *, now: int, lives: str) -> SessionState:
    """Whether the session is in force, until when, and how to renew it; `lives` is the broker's own rule."""
    if session is None:
        return SessionState(valid=False, valid_until=0, renewal=f"log in to the broker account; {lives}")
    if session.valid_until <= now:
        return SessionState(valid=False, valid_until=session.valid_until, renewal=f"log in again; {lives}")
    return SessionState(valid=True, valid_until=session.valid_until, renewal=lives)


def hide(text: str, session: Session | None) -> str:
    """The text without the session's secrets, for what a broker or a library wrote."""
    return text if session is None else blot(text, secrets_of(session))
