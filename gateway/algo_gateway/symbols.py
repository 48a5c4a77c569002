"""The instruments that runners of this account trade: their listing, today's facts, last tick, and who listens.

The broker's list is read once a day; a symbol's band comes with a quote when its first runner connects.
"""

from collections.abc import Collection

import msgspec
from algo_brokers.errors import BrokerError, RequestRefused
from algo_brokers.port import Broker
from algo_brokers.records import BrokerInstrument, InstrumentRef
from algo_crds.contracts.clock import session_date
from algo_crds.contracts.orders import Product

from algo_gateway.instrument_day import InstrumentDay, instrument_day

SymbolKey = tuple[str, str]
"""(exchange, symbol)."""


class Market(msgspec.Struct, kw_only=True):
    """What the feed has said of one symbol; mutable, on the hot path."""

    key: SymbolKey
    token: int
    last_tick_at: int = 0
    """Session time of the last price of the feed."""
    last_price: int = 0
    open_at: int = 0
    close_at: int = 0
    """Between these instants a price is expected."""
    polling: bool = False


class Symbols:
    """Listings by symbol and markets by feed token."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._listed: dict[SymbolKey, BrokerInstrument] = {}
        self._listed_day = ""
        self.by_token: dict[int, Market] = {}
        self.by_key: dict[SymbolKey, Market] = {}

    async def day_of(self, key: SymbolKey, product: Product, now: int) -> InstrumentDay:
        """Today's facts of a symbol.

        Raises:
            BrokerError: the list or the quote cannot be read, or the broker does not list the symbol.
            algo_market.sessions.SessionUnknownError: no session table for today.
        """
        day = session_date(now)
        if key not in self._listed or self._listed_day != day.isoformat():
            listing = await self._broker.read_instruments(exchange=key[0])
            self._listed |= {(row.exchange, row.symbol): row for row in listing}
            self._listed_day = day.isoformat()
        listed = self._listed.get(key)
        if listed is None:
            raise RequestRefused(f"{self._broker.capability.broker} does not list {key[0]}:{key[1]}; check the symbol")
        try:
            quotes = await self._broker.read_quotes(instruments=(self.ref_of(key),))
        except BrokerError:
            quotes = ()
        facts = instrument_day(
            listed,
            quotes[0] if quotes else None,
            broker=self._broker.capability.broker,
            product=product,
            day=day,
        )
        self._times(key, facts)
        return facts

    async def days_of(
        self, wanted: set[tuple[SymbolKey, Product]], now: int
    ) -> dict[tuple[SymbolKey, Product], InstrumentDay]:
        """Today's facts of many symbols, all read anew with one quote call.

        Raises:
            BrokerError: the list or the quotes cannot be read: what is known stays.
            algo_market.sessions.SessionUnknownError: no session table for today.
        """
        day = session_date(now)
        listed: dict[SymbolKey, BrokerInstrument] = {}
        for exchange in sorted({key[0] for key, _ in wanted}):
            listing = await self._broker.read_instruments(exchange=exchange)
            listed |= {(row.exchange, row.symbol): row for row in listing}
        quotes = await self._broker.read_quotes(
            instruments=tuple(listed[key].ref for key in sorted({key for key, _ in wanted}) if key in listed)
        )
        by_key = {(quote.exchange, quote.symbol): quote for quote in quotes}
        self._listed, self._listed_day = listed, day.isoformat()
        found = {}
        for key, product in wanted:
            if key in listed:
                name = self._broker.capability.broker
                facts = instrument_day(listed[key], by_key.get(key), broker=name, product=product, day=day)
                self._times(key, facts)
                found[key, product] = facts
        return found

    async def watch(self, keys: Collection[SymbolKey]) -> list[SymbolKey]:
        """Follow the prices of symbols though nobody trades them; returns those that the broker does not list.

        Raises:
            BrokerError: a list cannot be read: nothing changes.
        """
        tokens: dict[SymbolKey, int] = {}
        for exchange in sorted({key[0] for key in keys}):
            listing = await self._broker.read_instruments(exchange=exchange)
            tokens |= {(row.exchange, row.symbol): row.token for row in listing}
        for key in keys:
            if key in tokens:
                self._track(key, tokens[key])
        return [key for key in keys if key not in tokens]

    def _times(self, key: SymbolKey, facts: InstrumentDay) -> None:
        market = self._track(key, facts.token)
        market.open_at, market.close_at = facts.session.open, facts.session.last_match

    def ref_of(self, key: SymbolKey) -> InstrumentRef:
        """A symbol with the names that the broker's calls want; only ours before the list was read."""
        listed = self._listed.get(key)
        return listed.ref if listed is not None else InstrumentRef(exchange=key[0], symbol=key[1])

    @property
    def opens_at(self) -> int:
        """The earliest open of the symbols traded, as known so far; 0 if there is none."""
        return min((market.open_at for market in self.by_key.values() if market.open_at), default=0)

    def _track(self, key: SymbolKey, token: int) -> Market:
        market = self.by_key.get(key)
        if market is None or market.token != token:
            market = Market(key=key, token=token)
            self.by_key[key] = market
            self.by_token[token] = market
        return market

    def tokens(self) -> list[int]:
        """Feed tokens of every symbol that a runner trades."""
        return list(self.by_token)
