"""The broker's list of the day, kept to translate between its names of an instrument and ours.

Order rows and positions name an instrument by the broker's token or spelling; the platform by exchange and symbol. An
adapter fills this from the list it reads; a row of an instrument that is not listed keeps the broker's own spelling and
therefore matches nobody's strategy.
"""

from collections.abc import Iterable

from algo_brokers.records import BrokerInstrument

Key = tuple[str, str]
"""(exchange, symbol), canonical."""


class Directory:
    """Listings by token, by our key and by the broker's spelling. Filled anew each day."""

    def __init__(self) -> None:
        self._by_token: dict[int, BrokerInstrument] = {}
        self._by_key: dict[Key, BrokerInstrument] = {}
        self._by_spelling: dict[Key, BrokerInstrument] = {}

    def learn(self, listing: Iterable[BrokerInstrument]) -> None:
        """Take a list that was read; later lines win."""
        for one in listing:
            self._by_token[one.token] = one
            self._by_key[one.exchange, one.symbol] = one
            self._by_spelling[one.exchange, one.broker_symbol or one.symbol] = one

    def of_token(self, token: int) -> BrokerInstrument | None:
        """The instrument of a token."""
        return self._by_token.get(token)

    def of_key(self, exchange: str, symbol: str) -> BrokerInstrument | None:
        """The instrument of our names."""
        return self._by_key.get((exchange, symbol))

    def of_spelling(self, exchange: str, broker_symbol: str) -> BrokerInstrument | None:
        """The instrument of the broker's names."""
        return self._by_spelling.get((exchange, broker_symbol))
