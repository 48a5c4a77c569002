"""Fyers' envelope: `{"s", "code", "message"}` in every answer, and the codes and texts that clients decide on."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web
from algo_crds.contracts.orders import RejectKind, Side
from algo_market.order_rules import Refused

from algo_simulator.front import ShapedError, Shapes
from algo_simulator.refusals import Texts, worded
from algo_simulator.windows import Window

DATA_HOST: Final = "/data"
"""First part of the paths of the market-data host, which words a bad token in its own way."""
_HELD: Final = ("sec", "min", "day")


class FyersError(ShapedError):
    """An answer that is an error: HTTP status, negative code and message; `more` are further fields."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.more = dict(more or {})


def bad_field(message: str, code: int = -50) -> FyersError:
    """A parameter that is missing or cannot be used."""
    return FyersError(400, code, message)


def answer(payload: object) -> web.Response:
    """A success: the payload's own fields beside the envelope's, which it may replace (`code`, `message`)."""
    assert isinstance(payload, dict)
    return _json(200, {"s": "ok", "code": 200, "message": "", **payload})


def envelope(error: FyersError) -> dict[str, object]:
    """An error as a body."""
    return {"s": "error", "code": error.code, "message": str(error), **error.more}


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, headers=headers, content_type="application/json")


def _refused(request: web.Request, error: ShapedError) -> web.StreamResponse:
    assert isinstance(error, FyersError)
    body = envelope(error)
    if request.path.startswith(DATA_HOST):
        # The data host puts the message first; a client must go by names.
        body = {"message": str(error), "code": error.code, "s": "error", **error.more}
    return _json(error.status, body, error.headers)


def too_many(window: Window | None, left_ms: int) -> FyersError:
    """429 with the two headers that tell how long to wait."""
    length = window.length if window is not None else 1_000
    name = _HELD[0] if length <= 1_000 else _HELD[1] if length <= 60_000 else _HELD[2]
    wait = max(left_ms, 1)
    headers = {"Retry-After": str(-(-wait // 1_000)), "X-Retry-After-Ms": str(wait)}
    return FyersError(429, -429, f"request limit reached (per {name})", headers=headers)


def _failure(_: web.Request, status: int) -> FyersError:
    code = -99 if status < HTTPStatus.INTERNAL_SERVER_ERROR else -96
    return FyersError(status, code, "The order system could not be reached.")


def _bad_address(_: web.Request, address: str) -> FyersError:
    # The broker has not published its text; clients can only go by the code of a missing permission.
    return FyersError(403, -373, f"IP address {address} is not whitelisted for this app")


def _http(_: web.Request, error: web.HTTPException) -> FyersError:
    return FyersError(error.status, -50 if error.status == HTTPStatus.BAD_REQUEST else -error.status, error.reason)


def _crash(_: web.Request) -> FyersError:
    return FyersError(500, -96, "Something went wrong in the simulator; see its log.")


def _not_simulated(request: web.Request) -> FyersError:
    return bad_field(f"{request.path} is not simulated")


def shapes(over: Callable[[web.Request, Window | None], FyersError]) -> Shapes:
    """What the guard needs; `over` words a refusal by a limit (None: by a fault switch)."""
    return Shapes(
        refused=_refused,
        too_many=over,
        failure=_failure,
        bad_address=_bad_address,
        http=_http,
        crash=_crash,
        not_simulated=_not_simulated,
    )


EXPIRED: Final = (-8, "Your token has expired. Please generate a token")
BAD_DATA_TOKEN: Final = (-15, "Please provide valid token")
BAD_TOKEN: Final = (-16, "Could not authenticate the user")
DEAD_TOKEN: Final = (-17, "Your token is invalid or has expired")
LOGGED_OUT: Final = (-16, "Token is Invalid or Expired")
BAD_ORDER_ID: Final = (-51, "Please provide a valid order id")

_TEXTS: Final[Texts] = {
    RejectKind.TICK_SIZE: "RED:16283: The order price is not multiple of the tick size ({detail})",
    RejectKind.BAND: "RED:Price is outside the circuit limits of the day ({detail})",
    RejectKind.PRODUCT: "RED:The instrument cannot be traded in this product ({detail})",
    RejectKind.CLOSED: "RED:Market is closed for this segment ({detail})",
    RejectKind.THROUGH: "RED:Trigger price has already been passed by the last traded price ({detail})",
    RejectKind.GAP: "RED:Trigger price and limit price are too far apart ({detail})",
    RejectKind.QUANTITY: "RED:Order quantity is not allowed ({detail})",
    RejectKind.MARGIN: "RED:Margin Shortfall:{detail}",
}


def refusal_text(refused: Refused, side: Side) -> str:
    """The text of a rejected order: the order system's own word, then what exactly was wrong."""
    return worded(refused, side, _TEXTS)
