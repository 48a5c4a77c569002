"""Reading JSON bodies: objects, lists of objects, and their fields; a number in quotes is none."""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from algo_crds.contracts.money import price_from_float

from algo_simulator.fyers.errors import bad_field

MAX_NUMBER: Final = 10**9


def read_json(body: bytes) -> Any:
    """The value of a body; None for an empty one.

    Raises:
        FyersError: no JSON.
    """
    if not body.strip():
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise bad_field("Invalid JSON in the request's body") from None


def read_object(body: bytes) -> dict[str, Any]:
    """The object of a body.

    Raises:
        FyersError: anything else.
    """
    value = read_json(body)
    if not isinstance(value, dict):
        raise bad_field("The request's body must be a JSON object")
    return value


def read_objects(body: bytes, most: int) -> list[dict[str, Any]]:
    """The list of objects of a body.

    Raises:
        FyersError: anything else, none, or more than `most`.
    """
    value = read_json(body)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise bad_field("The request's body must be a JSON array of objects")
    if not 0 < len(value) <= most:
        raise bad_field(f"Please provide 1 to {most} orders")
    return value


def text_field(form: Mapping[str, Any], name: str) -> str:
    """A text; empty where it is missing or of another type."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def number_field(form: Mapping[str, Any], name: str, code: int = -50) -> float:
    """A number; 0 where it is missing.

    Raises:
        FyersError: `code`, it is none.
    """
    value = form.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_field(f"{name} is invalid", code)
    if abs(value) >= MAX_NUMBER or not math.isfinite(value):
        raise bad_field(f"{name} is out of range", code)
    return value


def price_field(form: Mapping[str, Any], name: str, code: int) -> int:
    """A price in rupees as `Price`; 0 where it is missing.

    Raises:
        FyersError: `code`, it is no price.
    """
    value = number_field(form, name, code)
    if value < 0:
        raise bad_field(f"{name} is invalid", code)
    return int(price_from_float(value))


def whole_field(form: Mapping[str, Any], name: str, code: int = -50) -> int:
    """A whole number; 0 where it is missing.

    Raises:
        FyersError: `code`, it is none.
    """
    value = number_field(form, name, code)
    if value != int(value):
        raise bad_field(f"{name} must be a whole number", code)
    return int(value)
