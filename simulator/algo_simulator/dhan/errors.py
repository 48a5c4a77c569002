"""Dhan's error bodies. There are four shapes, and clients must survive all of them.

* trading and account calls: `{"errorType", "errorCode": "DH-9xx", "errorMessage"}`;
* market quotes: `{"status": "failed", "data": {"8xx": "..."}}`;
* the login host: HTTP 200 with `{"status": "error", "message"}`;
* paths that do not exist: the web framework's `{"timestamp", "status", "error", "path"}`.
"""

import time
from typing import Final

from aiohttp import web
from algo_crds.contracts.orders import RejectKind, Side
from algo_market.order_rules import Refused
from msgspec import json

from algo_simulator.front import ShapedError
from algo_simulator.refusals import Texts, worded


class DhanError(ShapedError):
    """An answer that is an error: HTTP status and JSON body."""

    def __init__(self, status: int, body: dict[str, object], message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


KINDS: Final = {
    "DH-901": (401, "Invalid_Authentication"),
    "DH-902": (403, "Invalid_Access"),
    "DH-903": (400, "User_Account"),
    "DH-904": (429, "Rate_Limit"),
    "DH-905": (400, "Input_Exception"),
    "DH-906": (400, "Order_Error"),
    "DH-907": (400, "Data_Error"),
    "DH-908": (500, "Internal_Server_Error"),
    "DH-909": (502, "Network_Error"),
    "DH-910": (400, "Others"),
    "DH-911": (400, "Invalid_IP"),
    "DH-1111": (400, "Holding_Error"),
}
"""HTTP status and `errorType` of each code; statuses that no source proves are 400 here."""
BAD_TOKEN: Final = "Client ID or user generated access token is invalid or expired."  # noqa: S105 - the server's text
DEAD_TOKEN: Final = "Invalid Token"  # noqa: S105 - the server's text
TOO_MANY: Final = "Too many requests on server from single user breaching rate limits. Try throttling API calls."
TOO_MANY_QUOTES: Final = "Too many requests. Further requests may result in the user being blocked."
NO_ADDRESS: Final = "Invalid IP"
NOT_FOUND: Final = "Missing required fields, bad values for parameters etc."


def failure(code: str, message: str, status: int = 0) -> DhanError:
    """An error of the trading API; the status is the code's own unless one is given."""
    usual, kind = KINDS[code]
    body: dict[str, object] = {"errorType": kind, "errorCode": code, "errorMessage": message}
    return DhanError(status or usual, body, message)


def input_error(message: str) -> DhanError:
    """DH-905: a missing or bad field."""
    return failure("DH-905", message)


def order_error(message: str) -> DhanError:
    """DH-906: the order cannot be processed."""
    return failure("DH-906", message)


def data_failure(code: int, message: str, status: int = 400) -> DhanError:
    """An error of the quotes family: its code is the key of `data`."""
    return DhanError(status, {"status": "failed", "data": {str(code): message}}, message)


def login_failure(message: str) -> DhanError:
    """An error of the login host, which says so with HTTP 200."""
    return DhanError(200, {"status": "error", "message": message}, message)


def no_such_path(path: str, status: int, reason: str) -> DhanError:
    """What the web framework says of a path or method that it does not know."""
    now = int(time.time() * 1000)
    return DhanError(status, {"timestamp": now, "status": status, "error": reason, "path": path}, reason)


def no_such_host() -> DhanError:
    """What the old backend says of any path without the version."""
    message = "Bad request"
    body: dict[str, object] = {
        "errorCode": "NONE",
        "httpStatus": "BAD_REQUEST",
        "internalErrorCode": "RS-9005",
        "internalErrorMessage": message,
    }
    return DhanError(400, body, message)


def broken(status: int) -> DhanError:
    """A failure of the system behind the API with a status: 5xx, or 429."""
    if status == 429:
        return failure("DH-904", TOO_MANY)
    code = "DH-908" if status == 500 else "DH-909" if status > 500 else "DH-910"
    return failure(code, "Internal Server Error" if code == "DH-908" else "Network failure", status)


def answer(payload: object, status: int = 200) -> web.Response:
    """JSON of any kind: this API has no envelope."""
    return web.Response(body=json.encode(payload), status=status, content_type="application/json")


_TEXTS: Final[Texts] = {
    RejectKind.TICK_SIZE: "Price is not a multiple of tick size ({detail})",
    RejectKind.BAND: "Order price is outside the circuit limits ({detail})",
    RejectKind.PRODUCT: "Product or instrument is not allowed for trading ({detail})",
    RejectKind.CLOSED: "Market is Closed! Want to place an offline order? ({detail})",
    RejectKind.GAP: "Trigger price and limit price are too far apart ({detail})",
    RejectKind.TOO_MANY_CHANGES: "Maximum number of modifications exceeded ({detail})",
    RejectKind.NOT_MODIFIABLE: "Order cannot be modified or cancelled in its present state ({detail})",
    RejectKind.MARGIN: "RMS:FUND LIMIT INSUFFICIENT,{detail}",
    RejectKind.THROUGH: "Trigger price of a stop loss {side} order should be {where} than the last traded price",
}


def refusal_text(refused: Refused, side: Side) -> str:
    """`omsErrorDescription` of a rejected order; Dhan's texts are not stable, only the figures in them matter."""
    return worded(refused, side, _TEXTS)
