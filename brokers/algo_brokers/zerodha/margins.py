"""What a basket of orders would take, from the broker's calculator."""

import msgspec
from algo_crds.contracts.money import price_from_float

from algo_brokers.errors import BadAnswer
from algo_brokers.records import Margin


class _Total(msgspec.Struct, frozen=True):
    total: float


class _Basket(msgspec.Struct, frozen=True):
    final: _Total


def margin(data: bytes) -> Margin:
    """`final` nets the orders against each other and the account's positions.

    Raises:
        BadAnswer: the total is missing or no amount.
    """
    try:
        return Margin(required=price_from_float(msgspec.json.decode(data, type=_Basket).final.total))
    except (msgspec.MsgspecError, ValueError):
        raise BadAnswer("the broker's margin answer has no total") from None
