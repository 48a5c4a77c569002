"""Kite's error envelope and the texts that clients match on."""

from typing import Final

from aiohttp import web
from algo_crds.contracts.orders import RejectKind, Side
from algo_market.order_rules import Refused
from msgspec import json

from algo_simulator.front import ShapedError, Shapes
from algo_simulator.refusals import Texts, worded
from algo_simulator.windows import Window


class KiteError(ShapedError):
    """An answer that is an error: HTTP status, `error_type` and message."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type


def input_error(message: str) -> KiteError:
    """A missing or bad field."""
    return KiteError(400, "InputException", message)


def answer(payload: object) -> web.Response:
    """A success."""
    return web.Response(body=json.encode({"status": "success", "data": payload}), content_type="application/json")


def refused(_: web.Request, error: ShapedError) -> web.Response:
    """The envelope of any refusal."""
    assert isinstance(error, KiteError)
    return error_answer(error.status, error.error_type, str(error))


def _too_many(_: web.Request, __: Window | None) -> KiteError:
    return KiteError(429, "NetworkException", "Too many requests")


def _failure(_: web.Request, status: int) -> KiteError:
    if status == 400:
        # The one refusal of a request that may have been carried out.
        return KiteError(status, "OrderException", TIMED_OUT)
    return KiteError(status, STATUS_TYPES.get(status, "GeneralException"), "The order system could not be reached.")


def _bad_address(_: web.Request, address: str) -> KiteError:
    return KiteError(403, "PermissionException", NO_ADDRESS.format(ip=address))


def _http(_: web.Request, error: web.HTTPException) -> KiteError:
    known = STATUS_TYPES.get(error.status, "InputException")
    return KiteError(error.status, "GeneralException" if error.status in (404, 405) else known, error.reason)


def _crash(_: web.Request) -> KiteError:
    return KiteError(500, "GeneralException", "Something went wrong in the simulator; see its log.")


def _not_simulated(request: web.Request) -> KiteError:
    return input_error(f"{request.path} is not simulated.")


def error_answer(status: int, error_type: str, message: str) -> web.Response:
    """An error; codes of the gateway in front of the API carry the same envelope here."""
    body = json.encode({"status": "error", "message": message, "error_type": error_type, "data": None})
    return web.Response(body=body, status=status, content_type="application/json")


BAD_TOKEN: Final = "Incorrect `api_key` or `access_token`."  # noqa: S105 - the server's text
TIMED_OUT: Final = "Order request timed out. Please check the order book and confirm before placing again."
NO_ADDRESS: Final = (
    "IP ({ip}) is not allowed to place orders for this app. Update allowed IPs on the Kite developer console."
)
NOT_PROTECTED: Final = (
    "Market orders without market protection are not allowed via API. "
    "Please set market protection or use a Limit order."
)
STATUS_TYPES: Final = {
    400: "InputException",
    403: "PermissionException",
    429: "NetworkException",
    500: "GeneralException",
    502: "DataException",
    503: "NetworkException",
    504: "NetworkException",
}

SHAPES: Final = Shapes(
    refused=refused,
    too_many=_too_many,
    failure=_failure,
    bad_address=_bad_address,
    http=_http,
    crash=_crash,
    not_simulated=_not_simulated,
)
_TEXTS: Final[Texts] = {
    RejectKind.TICK_SIZE: "16283 : The order price is not a multiple of tick size ({detail})",
    RejectKind.BAND: "The price is outside the circuit limits of the day ({detail})",
    RejectKind.PRODUCT: "The product or instrument cannot be traded: Function not available ({detail})",
    RejectKind.CLOSED: "Markets are closed right now. Try placing an AMO order. ({detail})",
    RejectKind.GAP: "The difference between trigger price and price is too large ({detail})",
    RejectKind.TOO_MANY_CHANGES: "Maximum allowed order modifications exceeded ({detail})",
    RejectKind.MARGIN: "RMS:Margin Exceeds,{detail}",
    RejectKind.THROUGH: ("Trigger price for stoploss {side} orders should be {where} than the last traded price."),
}


def refusal_text(refused: Refused, side: Side) -> str:
    """The text of a rejected order, in the words of broker and exchange where those are known."""
    if refused.kind is RejectKind.TICK_SIZE and "trigger" in refused.message:
        return "16316 : The trigger price is not a multiple of tick size"
    return worded(refused, side, _TEXTS)
