"""Around every request: an id, security headers, metrics by operation. Plain ASGI, so that streams stream."""

import re
import secrets
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from algo_api.health.metrics import REQUESTS, SECONDS
from algo_api.request_context import enter_request

_GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9_.-]{8,64}")
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),  # a callback's query holds a broker's token
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestFrame:
    """The middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = _request_id(scope)
        enter_request(identifier)
        started = time.perf_counter()

        async def framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _count(scope, message["status"], time.perf_counter() - started)
                present = {name.lower() for name, _ in message["headers"]}
                extra = [pair for pair in _HEADERS if pair[0] not in present]
                message["headers"] = [*message["headers"], *extra, (b"x-request-id", identifier.encode())]
            await send(message)

        await self._app(scope, receive, framed)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(8)


def _count(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "name", "other")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)
