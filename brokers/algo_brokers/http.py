"""Requests and answers as values, so that adapters build and read them without a socket.

`Transport` is the one function an adapter needs of HTTP. Its two errors carry the fact that matters for orders: whether
a byte of the request can have reached the broker.
"""

from typing import Final, Protocol
from urllib.parse import urlencode

import msgspec

FORM: Final = "application/x-www-form-urlencoded"


class HttpRequest(msgspec.Struct, frozen=True):
    """One request. `target` is path and query; headers and body may hold secrets, so the text form shows neither."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def __repr__(self) -> str:
        """Method and path only."""
        return f"{self.method} {self.target.partition('?')[0]}"

    __str__ = __repr__


class HttpAnswer(msgspec.Struct, frozen=True):
    """Status, content type (lower case, without parameters) and decoded body of an answer."""

    status: int
    content_type: str
    body: bytes


class NothingSentError(Exception):
    """Certain: the connection could not be made, so no byte of the request left."""


class AnswerLostError(Exception):
    """The request may have arrived; its answer was not seen."""


class Transport(Protocol):
    """Send one request, once. Never repeats anything by itself."""

    async def __call__(self, request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
        """The answer of any status.

        Raises:
            NothingSentError: certain that nothing left.
            AnswerLostError: time-out or lost connection after the connection was made.
        """
        ...


def with_query(path: str, query: list[tuple[str, str]]) -> str:
    """Path and query string; a repeated key is a list."""
    return f"{path}?{urlencode(query)}" if query else path
