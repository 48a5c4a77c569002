"""Reading JSON bodies as tolerantly as Dhan does: numbers may be numeric strings, unknown keys are ignored."""

import math
from typing import Final

import msgspec
from algo_crds.contracts.money import price_from_float

from algo_simulator.dhan.errors import input_error

Body = dict[str, object]
MAX_NUMBER: Final = 10**9
_decode: Final = msgspec.json.Decoder(dict[str, object]).decode


def read_body(raw: bytes) -> Body:
    """The JSON object of a request.

    Raises:
        DhanError: it is none.
    """
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise input_error("Invalid request body: a JSON object is expected") from None


def text(body: Body, name: str, default: str | None = None) -> str:
    """A string, or a number as text.

    Raises:
        DhanError: missing (without a default) or of another kind.
    """
    value = body.get(name)
    if value is None or value == "":
        if default is None:
            raise input_error(f"Missing required field {name}")
        return default
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise input_error(f"Invalid {name}")


def word(body: Body, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    """One of some words.

    Raises:
        DhanError: missing (without a default) or none of them.
    """
    found = text(body, name, default)
    if found not in allowed:
        raise input_error(f"Invalid {name}")
    return found


def number(body: Body, name: str, default: float | None = None) -> float:
    """A number from 0 on.

    Raises:
        DhanError: missing (without a default), no number, negative or absurd.
    """
    value = body.get(name)
    if value is None or value == "":
        if default is None:
            raise input_error(f"Missing required field {name}")
        return default
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise input_error(f"Invalid {name}")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise input_error(f"Invalid {name}") from None
    if not math.isfinite(found) or not 0 <= found < MAX_NUMBER:
        raise input_error(f"Invalid {name}")
    return found


def price(body: Body, name: str, default: float | None = None) -> int:
    """Rupees as `Price`.

    Raises:
        DhanError: as `number`.
    """
    return int(price_from_float(number(body, name, default)))


def quantity(body: Body, name: str, default: int | None = None) -> int:
    """A whole number.

    Raises:
        DhanError: as `number`, or a fraction.
    """
    found = number(body, name, default)
    if found != int(found):
        raise input_error(f"Invalid {name}")
    return int(found)


def flag(body: Body, name: str) -> bool:
    """A truth value; false where missing.

    Raises:
        DhanError: of another kind.
    """
    value = body.get(name)
    if value is None or value == "":
        return False
    if value in (True, "true", "TRUE"):
        return True
    if value in (False, "false", "FALSE"):
        return False
    raise input_error(f"Invalid {name}")


def check_client(body: Body, client_id: str) -> None:
    """Every body that writes carries the client id of its token.

    Raises:
        DhanError: missing or another's.
    """
    if text(body, "dhanClientId") != client_id:
        raise input_error("Invalid dhanClientId")
