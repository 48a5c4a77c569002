"""Polled prices and bars, pure."""

from algo_brokers.http import HttpAnswer
from algo_brokers.records import Candle, Quote


def quotes(answer: HttpAnswer) -> tuple[Quote, ...]:
    """Prices with depth."""
    raise NotImplementedError


def last_prices(answer: HttpAnswer) -> dict[tuple[str, str], int]:
    """Last prices by (exchange, symbol), in 1/10 000 rupee."""
    raise NotImplementedError


def candles(answer: HttpAnswer) -> tuple[Candle, ...]:
    """Bars, oldest first."""
    raise NotImplementedError
