"""The socket that runners connect to: picows, because between a tick's bytes and an order's bytes nothing may wait.

It checks the token, hands messages to the hub in the callback in which they arrive, and writes what the hub sends.
`front.py` listens and brings the connections here.
"""

import logging
from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from algo_crds.contracts import wire
from algo_crds.contracts.tokens import RunnerClaims
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)

from algo_gateway.tokens import TokenError, bearer

log: Final = logging.getLogger("algo_gateway.runners")
_BINARY, _CLOSE = WSMsgType.BINARY, WSMsgType.CLOSE
"""By name: a look into an enum's class runs its metaclass, which costs 7 us where caches are cold, as at an exit."""


class Hub(Protocol):
    """Whoever owns the account."""

    def connected(self, connection: int, claims: RunnerClaims, send: Callable[[bytes], None]) -> None:
        """A runner with a valid token connected."""

    def received(self, connection: int, message: wire.ToGateway) -> None:
        """A runner said something."""

    def disconnected(self, connection: int) -> None:
        """A runner's connection is gone."""


class _Runner(WSListener):
    """One runner's connection."""

    def __init__(self, server: "RunnerServer", connection: int, claims: RunnerClaims) -> None:
        self._server = server
        self._connection = connection
        self._claims = claims
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._server.open[self._connection] = transport
        self._server.hub.connected(self._connection, self._claims, self._send)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is _CLOSE:
            transport.send_close()
            transport.disconnect()
            return
        if kind is not _BINARY:
            return
        try:
            message = wire.decode_to_gateway(frame.get_payload_as_bytes())
        except msgspec.MsgspecError as error:
            log.error("%s sent what is no message (%s); connection cut", self._claims.sub, error)
            transport.disconnect(graceful=False)
            return
        self._server.hub.received(self._connection, message)

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self._server.open.pop(self._connection, None)
        self._server.hub.disconnected(self._connection)

    def _send(self, payload: bytes) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send(_BINARY, payload)


class RunnerServer:
    """Accepts runners.

    Args:
        check: claims of a token, or `TokenError`.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        check: Callable[[str], RunnerClaims],
    ) -> None:
        self.hub = hub
        self.open: dict[int, WSTransport] = {}
        self._check = check
        self._next = 1

    def cut(self, connection: int) -> None:
        """Close a runner's connection."""
        transport = self.open.get(connection)
        if transport is not None:
            transport.disconnect()

    def accept(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        """Who listens to a new connection, as picows asks; 401 without a valid token."""
        if request.path.decode("latin-1").partition("?")[0] != wire.RUNNER_PATH:
            return None
        try:
            claims = self._check(bearer(request.headers.get("authorization")))
        except (TokenError, OSError) as error:
            log.warning("a runner was refused: %s", error)
            response = WSUpgradeResponse.create_error_response(401, b"the token is not valid for this account")
            return WSUpgradeResponseWithListener(response, None)
        connection, self._next = self._next, self._next + 1
        return _Runner(self, connection, claims)
