"""A request as the bytes of HTTP/1.1: the part of a head that stays the same for a session is built once.

Text that could end a line early is refused before anything is sent, because a header or a path could otherwise begin a
second request (RFC 9112, 11.1).
"""

from typing import Final

from algo_brokers.http import HttpRequest, NothingSentError

_KEPT: Final = 8
"""Sets of headers that are remembered: a session has two or three."""


def _checked(request: HttpRequest, text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise NothingSentError(f"{request}: a character of the request is not allowed in HTTP")
    return text


class RequestWriter:
    """Builds the requests of one host."""

    def __init__(self, authority: str) -> None:
        self._authority = authority
        self._fixed: dict[tuple[tuple[str, str], ...], bytes] = {}

    def bytes_of(self, request: HttpRequest) -> bytes:
        """Head and body.

        Raises:
            NothingSentError: method, path or a header cannot be sent.
        """
        line = f"{request.method} {request.target}"
        if " " in request.target or not line.isascii() or not line.isprintable():
            raise NothingSentError("a request's method or path cannot be sent")
        fixed = self._fixed.get(request.headers)
        if fixed is None:
            fixed = self._remember(request)
        body = request.body
        if body or request.method in ("POST", "PUT"):
            return b"%b HTTP/1.1%bContent-Length: %d\r\n\r\n%b" % (line.encode(), fixed, len(body), body)
        return b"%b HTTP/1.1%b\r\n" % (line.encode(), fixed)

    def _remember(self, request: HttpRequest) -> bytes:
        lines = [f"Host: {_checked(request, self._authority)}"]
        for name, value in request.headers:
            if not name or not name.replace("-", "").isalnum():
                raise NothingSentError(f"{request}: a header's name is not allowed in HTTP")
            lines.append(f"{_checked(request, name)}: {_checked(request, value)}")
        fixed = ("\r\n" + "\r\n".join(lines) + "\r\n").encode("ascii")
        if len(self._fixed) >= _KEPT:
            self._fixed.clear()
        self._fixed[request.headers] = fixed
        return fixed
