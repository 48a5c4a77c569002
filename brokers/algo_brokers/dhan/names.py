"""Dhan's words for exchanges, products, sides and kinds of order, and ours.

A security id is unique only within its segment (13 is NIFTY 50 among the indices and a share elsewhere), so an
instrument's opaque token is `segment code << 32 | security id`. Source: DhanHQ v2 docs, annexure.
"""

from typing import Final, NamedTuple

from algo_crds.contracts.orders import OrderType, Product, Side

from algo_brokers.directory import Directory
from algo_brokers.errors import BadAnswer
from algo_brokers.records import BrokerInstrument, InstrumentRef

INDEX: Final = "IDX_I"
SEGMENT_CODES: Final = {
    INDEX: 0,
    "NSE_EQ": 1,
    "NSE_FNO": 2,
    "NSE_CURRENCY": 3,
    "BSE_EQ": 4,
    "MCX_COMM": 5,
    "BSE_CURRENCY": 7,
    "BSE_FNO": 8,
}
"""The feed's number of a segment."""
SEGMENT_OF_CODE: Final = {code: name for name, code in SEGMENT_CODES.items()}
CURRENCY_CODES: Final = frozenset({3, 7})
EXCHANGE_OF: Final = {
    "NSE_EQ": "NSE",
    "NSE_FNO": "NFO",
    "NSE_CURRENCY": "CDS",
    "BSE_EQ": "BSE",
    "MCX_COMM": "MCX",
    "BSE_CURRENCY": "BCD",
    "BSE_FNO": "BFO",
}
"""Our exchange of a segment; an index belongs to the exchange that its line in the list names."""
SEGMENT_OF: Final = {
    ("NSE", "E"): "NSE_EQ",
    ("NSE", "D"): "NSE_FNO",
    ("NSE", "C"): "NSE_CURRENCY",
    ("BSE", "E"): "BSE_EQ",
    ("BSE", "D"): "BSE_FNO",
    ("BSE", "C"): "BSE_CURRENCY",
    ("MCX", "M"): "MCX_COMM",
}
"""Segment by exchange and letter, as the instrument list and the order socket write it."""
CASH: Final = frozenset({"NSE_EQ", "BSE_EQ"})

SIDE: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}
SIDE_OF: Final = {"BUY": Side.BUY, "SELL": Side.SELL, "B": Side.BUY, "S": Side.SELL}
"""REST writes the word, the order socket its first letter."""
TYPE: Final = {OrderType.LIMIT: "LIMIT", OrderType.STOP_LIMIT: "STOP_LOSS"}
"""`STOP_LOSS_MARKET` is never sent: since market price protection it fills at once or is refused (docs and field
reports), and `MARKET` becomes a limit order at the broker anyhow."""
TYPE_OF: Final = {
    "LIMIT": OrderType.LIMIT,
    "MARKET": OrderType.LIMIT,
    "STOP_LOSS": OrderType.STOP_LIMIT,
    "STOP_LOSS_MARKET": OrderType.STOP_LIMIT,
    "LMT": OrderType.LIMIT,
    "MKT": OrderType.LIMIT,
    "SL": OrderType.STOP_LIMIT,
    "SLM": OrderType.STOP_LIMIT,
}
PRODUCT_OF: Final = {
    "INTRADAY": Product.INTRADAY,
    "CNC": Product.DELIVERY,
    "MARGIN": Product.DELIVERY,
    "I": Product.INTRADAY,
    "C": Product.DELIVERY,
    "M": Product.DELIVERY,
}
"""`MTF` (bought on the broker's money), `CO` and `BO` are never ours and do not net with ours."""

_ID_BITS: Final = 32


class SecurityId(NamedTuple):
    """How Dhan names an instrument."""

    segment: str
    id: int


def pack(segment: str, security_id: int) -> int:
    """The opaque token.

    Raises:
        BadAnswer: no such segment, or the id does not fit the feed's 32 bits.
    """
    code = SEGMENT_CODES.get(segment)
    if code is None or not 0 <= security_id < 1 << _ID_BITS:
        raise BadAnswer(f"{segment}:{security_id} is no instrument of this broker")
    return code << _ID_BITS | security_id


def unpack(token: int) -> SecurityId:
    """Segment and security id of a token that the day's list gave.

    Raises:
        ValueError: the token is none of this broker.
    """
    segment = SEGMENT_OF_CODE.get(token >> _ID_BITS)
    if segment is None or token <= 0:
        raise ValueError(f"token {token} is none of Dhan's: read the day's instrument list first")
    return SecurityId(segment, token & ((1 << _ID_BITS) - 1))


def product_word(product: Product, segment: str) -> str:
    """Dhan's product; what is carried over night is `CNC` for shares and `MARGIN` for derivatives."""
    if product is Product.INTRADAY:
        return "INTRADAY"
    return "CNC" if segment in CASH else "MARGIN"


class Words:
    """The day's list as the adapter needs it: our names by token, and Dhan's word for the kind of instrument, which
    candles want again. A row of an instrument that was not read keeps the broker's spelling."""

    def __init__(self) -> None:
        self._directory = Directory()
        self._kinds: dict[int, str] = {}

    def learn(self, listing: tuple[BrokerInstrument, ...], kinds: dict[int, str]) -> None:
        """Take a list that was read."""
        self._directory.learn(listing)
        self._kinds.update(kinds)

    def key_of(self, segment: str, security_id: str | int, spelling: str) -> tuple[str, str]:
        """Exchange and symbol of a row.

        Raises:
            BadAnswer: the row's segment or id is none.
        """
        text = str(security_id)
        if not (text.isascii() and text.isdigit()):
            raise BadAnswer(f"security id {text!r} is no number")
        listed = self._directory.of_token(pack(segment, int(text)))
        if listed is not None:
            return listed.exchange, listed.symbol
        return EXCHANGE_OF.get(segment, segment), spelling

    def ref_of(self, instrument: InstrumentRef) -> InstrumentRef:
        """The instrument with its token, which a caller who has not read the list does not know.

        Raises:
            ValueError: it is not in the day's list.
        """
        if instrument.token:
            return instrument
        listed = self._directory.of_key(instrument.exchange, instrument.symbol)
        if listed is None:
            raise ValueError(f"{instrument.exchange}:{instrument.symbol} is not in the day's list: read the list first")
        return listed.ref

    def kind_of(self, token: int) -> str:
        """Dhan's word for the kind; shares and indices are told by their segment.

        Raises:
            ValueError: a derivative that is not in the day's list.
        """
        segment = unpack(token).segment
        plain = "EQUITY" if segment in CASH else "INDEX" if segment == INDEX else ""
        kind = self._kinds.get(token, plain)
        if not kind:
            raise ValueError(f"token {token} is not in the day's list: read the list first")
        return kind

    def tick_of(self, token: int) -> int:
        """Tick size in 1/10 000 rupee; 0 if not known."""
        listed = self._directory.of_token(token)
        return 0 if listed is None else listed.tick_size
