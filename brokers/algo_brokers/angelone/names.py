"""Angel One's words for exchanges, products and instruments, and ours.

An instrument's opaque token is `exchange type << 32 | exchange token`: the market socket names the exchange by that
number, and an exchange token alone is unique only inside its exchange.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

import msgspec
from algo_crds.contracts.clock import session_date
from algo_crds.contracts.orders import Leg, OrderType, Product, Side
from algo_market.contract_names import share_symbol

from algo_brokers.directory import Directory
from algo_brokers.records import BrokerInstrument, InstrumentRef, NewOrder, NewTrigger

_Asked = TypeVar("_Asked", NewOrder, NewTrigger)

EXCHANGE_TYPES: Final = {"NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "NCDEX": 7, "CDS": 13}
"""Number of an exchange on the market socket (docs, WebSocket Streaming 2.0)."""
EXCHANGE_OF_TYPE: Final = {number: name for name, number in EXCHANGE_TYPES.items()}
CASH: Final = frozenset({"NSE", "BSE"})

SIDE: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}
SIDE_OF: Final = {text: side for side, text in SIDE.items()}
TYPE: Final = {OrderType.LIMIT: "LIMIT", OrderType.STOP_LIMIT: "STOPLOSS_LIMIT"}
TYPE_OF: Final = {
    "LIMIT": OrderType.LIMIT,
    "MARKET": OrderType.LIMIT,
    "STOPLOSS_LIMIT": OrderType.STOP_LIMIT,
    "STOPLOSS_MARKET": OrderType.STOP_LIMIT,
}
PRODUCT_OF: Final = {
    "INTRADAY": Product.INTRADAY,
    "DELIVERY": Product.DELIVERY,
    "CARRYFORWARD": Product.DELIVERY,
}
"""`MARGIN` (bought on the broker's money) and `BO` are never ours and do not net with ours."""

_TOKEN_BITS: Final = 32
_INDEX_FROM: Final = 99_900_000
"""Index tokens (99926000 and the like) lie above every share's."""

NameOf = Callable[[str, str, str], str]
"""Our symbol of (exchange, exchange token as text, trading symbol)."""


class SocketName(NamedTuple):
    """How the market socket names an instrument."""

    exchange_type: int
    token: int


def pack(exchange_type: int, token: int) -> int:
    """The opaque token."""
    return exchange_type << _TOKEN_BITS | token


def unpack(token: int) -> SocketName:
    """Exchange type and exchange token."""
    return SocketName(token >> _TOKEN_BITS, token & ((1 << _TOKEN_BITS) - 1))


def is_index(token: int) -> bool:
    """Whether a packed token is an index's."""
    name = unpack(token)
    return name.exchange_type in (1, 3) and name.token >= _INDEX_FROM


def product(exchange: str, wanted: Product) -> str:
    """`DELIVERY` exists in cash only, `CARRYFORWARD` in derivatives only: the other way round is refused."""
    if wanted is Product.INTRADAY:
        return "INTRADAY"
    return "DELIVERY" if exchange in CASH else "CARRYFORWARD"


def variety(leg: Leg) -> str:
    """What a live order was placed as: a change or a cancel that says otherwise is refused (AB1008)."""
    return "STOPLOSS" if leg is Leg.STOP else "NORMAL"


def cash_symbol(exchange: str, broker_symbol: str) -> str:
    """Our name of a share: at NSE its spelling ends in the series (`RELIANCE-EQ`), at BSE it is the name alone."""
    name, dash, series = broker_symbol.rpartition("-")
    if exchange == "NSE" and dash and name:
        return share_symbol(name, series)
    return broker_symbol


class Names:
    """The day's list, and what orders of this process told of it. A new day forgets the last: tokens are used again."""

    def __init__(self) -> None:
        self._day = 0
        self._list = Directory()

    def learn(self, listing: tuple[BrokerInstrument, ...], *, now: int) -> None:
        """Take a list that was read at `now`."""
        day = session_date(now).toordinal()
        if day != self._day:
            self._day, self._list = day, Directory()
        self._list.learn(listing)

    def resolve(self, ref: InstrumentRef) -> InstrumentRef | None:
        """The instrument with token and spelling; None where neither the caller nor the list knows them."""
        if ref.token and ref.broker_symbol:
            return ref
        listed = self._list.of_key(ref.exchange, ref.symbol)
        return listed.ref if listed is not None else None

    def known(self, asked: _Asked) -> _Asked | None:
        """An order with its instrument's token and spelling; None as for `resolve`."""
        instrument = self.resolve(asked.instrument)
        return None if instrument is None else msgspec.structs.replace(asked, instrument=instrument)

    def name_of(self, exchange: str, token: str, broker_symbol: str) -> str:
        """Our symbol. Shares need no list; a derivative that is not listed keeps the broker's spelling."""
        if token.isdecimal() and exchange in EXCHANGE_TYPES:
            listed = self._list.of_token(pack(EXCHANGE_TYPES[exchange], int(token)))
        else:
            listed = self._list.of_spelling(exchange, broker_symbol)
        if listed is not None and listed.broker_symbol == broker_symbol:
            return listed.symbol
        return cash_symbol(exchange, broker_symbol) if exchange in CASH else broker_symbol
