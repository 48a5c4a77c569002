"""Kite's published rate limits, counted by calendar second of the world's clock."""

from typing import Final

from algo_simulator.zerodha.errors import KiteError

PER_SECOND: Final = {"quote": 1, "historical": 3, "order": 10, "other": 10}
ORDERS_A_MINUTE: Final = 400
ORDERS_A_DAY: Final = 5_000
MODIFICATIONS: Final = 25


class Limits:
    """The counts of one account."""

    def __init__(self) -> None:
        self._second: dict[str, tuple[int, int]] = {}
        self._minute = (0, 0)
        self._day = 0

    def count(self, group: str, now: int) -> None:
        """Count a call of a group.

        Raises:
            KiteError: 429, over the limit of the group's second.
        """
        second = now // 1000
        begun, calls = self._second.get(group, (second, 0))
        calls = calls + 1 if begun == second else 1
        self._second[group] = (second, calls)
        if calls > PER_SECOND[group]:
            raise too_many()

    def count_order(self, now: int) -> None:
        """Count a new order into the minute and the day.

        Raises:
            KiteError: 429, over a cap.
        """
        minute = now // 60_000
        begun, orders = self._minute
        orders = orders + 1 if begun == minute else 1
        self._minute = (minute, orders)
        self._day += 1
        if orders > ORDERS_A_MINUTE or self._day > ORDERS_A_DAY:
            raise too_many()


def too_many() -> KiteError:
    """The refusal of a call over a limit."""
    return KiteError(429, "NetworkException", "Too many requests")
