"""The day's instrument list."""

from algo_brokers.records import BrokerInstrument


def parse(text: bytes) -> tuple[BrokerInstrument, ...]:
    """All instruments of the list.

    Raises:
        BadAnswer: a column is missing, or a line cannot be read; then the whole list is refused, because a wrong tick
            size or token is worse than yesterday's list.
    """
    raise NotImplementedError
