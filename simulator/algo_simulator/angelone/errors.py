"""SmartAPI's error answers. There are four shapes, and clients must survive all of them.

* the application: HTTP 200, `{"status": false, "message", "errorcode", "data"}`;
* the gateway (token, key, address): 401 or 403, `{"success": false, "message", "errorCode", "data"}`;
* over a limit: HTTP 403 with plain text;
* the firewall: an HTML page, or 400 with an empty body.
"""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from algo_crds.contracts.orders import RejectKind, Side
from algo_market.order_rules import Refused
from msgspec import json

from algo_simulator.angelone.rules import GAP_PERCENT
from algo_simulator.front import ShapedError, Shapes
from algo_simulator.refusals import Texts, worded
from algo_simulator.windows import Window

ACCESS_RATE: Final = "Access denied because of exceeding access rate"
NO_ADDRESS: Final = "Access denied: Unregistered IP address. Register your IP before retrying."
BAD_VARIETY: Final = "Invalid Order Variety. Value should be NORMAL, STOPLOSS, ROBO."
LONG_TAG: Final = "ordertag length should be less than 20 characters"
OUT_OF_RANGE: Final = "Order price is beyond the Limit Price Protection range defined by the exchange."
WIDE_GAP: Final = (
    "Difference between limit price and trigger price for SL Limit Order is beyond the exchange's "
    "Permissible range of <{percent}%>."
)
FUTURE: Final = "To datetime can't be greater than current datetime"
BAD_TOTP: Final = "Invalid totp"
BAD_CANCEL: Final = "Cancel Order Response : Bad Input"
_BLOCKED: Final = (
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected.</body></html>"
)


class AngelError(ShapedError):
    """An answer that is an error: either a JSON body or a text of another content type."""

    def __init__(self, status: int, message: str, *, body: dict[str, object] | None = None, html: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.html = html


def refusal(code: str, message: str) -> AngelError:
    """The application refuses: HTTP 200 and a body that says so."""
    return AngelError(200, message, body={"status": False, "message": message, "errorcode": code, "data": None})


def bad_input(message: str) -> AngelError:
    """AB1007: a missing or bad field, or anything else the back office does not take."""
    return refusal("AB1007", message)


def gateway(status: int, code: str, message: str) -> AngelError:
    """The gateway refuses; its keys are spelled otherwise than the application's."""
    return AngelError(status, message, body={"success": False, "message": message, "errorCode": code, "data": ""})


def over_limit() -> AngelError:
    """403 and plain text."""
    return AngelError(403, ACCESS_RATE)


def answer(payload: object) -> web.Response:
    """A success."""
    return _json(200, {"status": True, "message": "SUCCESS", "errorcode": "", "data": payload})


def _json(status: int, body: object) -> web.Response:
    return web.Response(body=json.encode(body), status=status, content_type="application/json")


def _refused(_: web.Request, error: ShapedError) -> web.StreamResponse:
    assert isinstance(error, AngelError)
    if error.body is not None:
        return _json(error.status, error.body)
    kind = "text/html" if error.html else "text/plain"
    return web.Response(text=str(error), status=error.status, content_type=kind)


def _too_many(_: web.Request, __: Window | None) -> AngelError:
    return over_limit()


def _failure(_: web.Request, status: int) -> AngelError:
    """A fault switch: 400 has no body, 401 is a token that is suddenly none, 403 and 429 are the limit's text, anything
    else is the firewall's page."""
    if status == HTTPStatus.BAD_REQUEST:
        return AngelError(status, "")
    if status == HTTPStatus.UNAUTHORIZED:
        return gateway(status, "AG8001", "Invalid Token")
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        return AngelError(status, ACCESS_RATE)
    return AngelError(status, _BLOCKED, html=True)


def _bad_address(_: web.Request, __: str) -> AngelError:
    return gateway(403, "AG7002", NO_ADDRESS)


def _http(_: web.Request, error: web.HTTPException) -> AngelError:
    return AngelError(
        error.status,
        error.reason,
        body={"status": False, "message": error.reason, "errorcode": "AB2000", "data": None},
    )


def _crash(_: web.Request) -> AngelError:
    message = "Something went wrong in the simulator; see its log."
    return AngelError(500, message, body={"status": False, "message": message, "errorcode": "AB2001", "data": None})


def _not_simulated(request: web.Request) -> AngelError:
    return refusal("AB2000", f"{request.path} is not simulated")


SHAPES: Final = Shapes(
    refused=_refused,
    too_many=_too_many,
    failure=_failure,
    bad_address=_bad_address,
    http=_http,
    crash=_crash,
    not_simulated=_not_simulated,
)
_TEXTS: Final[Texts] = {
    RejectKind.TICK_SIZE: "16283 : The order price is not a multiple of tick size ({detail})",
    RejectKind.BAND: "17070 : The price is out of the current circuit limits of the day ({detail})",
    RejectKind.PRODUCT: "Product type is not allowed for this scrip ({detail})",
    RejectKind.CLOSED: "16387 : Markets are closed right now ({detail})",
    RejectKind.GAP: "Trigger price and limit price are too far apart ({detail})",
    RejectKind.TOO_MANY_CHANGES: "Maximum number of order modifications exceeded ({detail})",
    RejectKind.MARGIN: "RMS:Margin Exceeds,Insufficient Funds,{detail}",
    RejectKind.THROUGH: "Trigger price of a stop loss {side} order should be {where} than the last traded price",
}


def refusal_text(refused: Refused, side: Side) -> str:
    """`text` of a rejected order; the wording is ours, only a few of the broker's texts are known."""
    return worded(refused, side, _TEXTS)


def answered_refusal(refused: Refused, side: Side) -> AngelError:
    """A refusal of the order in the HTTP answer instead of in its row."""
    if refused.kind is RejectKind.BAND:
        return bad_input(OUT_OF_RANGE)
    if refused.kind is RejectKind.GAP:
        return bad_input(WIDE_GAP.format(percent=GAP_PERCENT))
    code = "AB1012" if refused.kind is RejectKind.PRODUCT else "AB1007"
    return refusal(code, refusal_text(refused, side))
