"""Angel One's names, tokens and numbers of the simulated exchange's instruments, and of the words of an order.

A token is unique within its exchange segment only: every look-up is by both.
"""

from collections.abc import Mapping
from typing import Final

from algo_crds.contracts.orders import OrderType, Product, Side
from algo_market.instruments import DayInstrument

from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder

EXCHANGE_TYPES: Final = {"NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "NCDEX": 7, "CDS": 13}
"""The market socket's number of an exchange segment."""
CURRENCY: Final = 13
"""The one segment whose prices travel in 1/10 000 000 rupee instead of paise."""
SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_WORDS: Final = {side: word for word, side in SIDES.items()}
PRODUCTS: Final = {
    "DELIVERY": Product.DELIVERY,
    "CARRYFORWARD": Product.DELIVERY,
    "MARGIN": Product.DELIVERY,
    "INTRADAY": Product.INTRADAY,
}
_INDEX_TOKENS: Final = {"NIFTY": 99926000, "BANKNIFTY": 99926009}
_INDEX_SYMBOLS: Final = {"NIFTY": "Nifty 50", "BANKNIFTY": "Nifty Bank"}
_INDICES: Final = frozenset({"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX"})


def angel_symbol(instrument: DayInstrument) -> str:
    """`tradingsymbol`: `RELIANCE-EQ`, `Nifty 50`, `NIFTY28AUG25FUT`, `NIFTY07AUG2524500CE`."""
    if instrument.kind == "EQ":
        return f"{instrument.symbol}-EQ"
    if instrument.kind == "INDEX":
        return _INDEX_SYMBOLS.get(instrument.symbol, instrument.name)
    assert instrument.expiry is not None
    start = f"{instrument.underlying}{instrument.expiry:%d%b%y}".upper()
    return f"{start}FUT" if instrument.kind == "FUT" else f"{start}{instrument.strike / 10_000:g}{instrument.kind}"


def angel_token(instrument: DayInstrument) -> str:
    """`symboltoken`: the exchange's, but an index has one of the broker's own."""
    if instrument.kind == "INDEX":
        return str(_INDEX_TOKENS.get(instrument.symbol, instrument.token))
    return str(instrument.token)


def short_name(instrument: DayInstrument) -> str:
    """`name` of the scrip master, `symbolname` of a position: the company's short name or the underlying."""
    return instrument.underlying or instrument.symbol


def instrument_type(instrument: DayInstrument) -> str:
    """Empty for cash, `AMXIDX` for an index, `FUTIDX`, `OPTSTK`, ..."""
    if instrument.kind in ("EQ", "INDEX"):
        return "" if instrument.kind == "EQ" else "AMXIDX"
    start = "FUT" if instrument.kind == "FUT" else "OPT"
    return start + ("IDX" if instrument.underlying in _INDICES else "STK")


def expiry_word(instrument: DayInstrument) -> str:
    """`DDMMMYYYY`, or empty."""
    return f"{instrument.expiry:%d%b%Y}".upper() if instrument.expiry is not None else ""


def option_word(instrument: DayInstrument) -> str:
    """`CE`, `PE`, or empty."""
    return instrument.kind if instrument.option else ""


def exchange_type(instrument: DayInstrument) -> int:
    """The market socket's number of the instrument's segment."""
    return EXCHANGE_TYPES[instrument.exchange]


def find_market(markets: Mapping[str, Market], exchange: str, token: str) -> Market | None:
    """The market of an exchange segment and token."""
    for market in markets.values():
        if market.instrument.exchange == exchange and angel_token(market.instrument) == token:
            return market
    return None


def product_word(product: Product, instrument: DayInstrument) -> str:
    """`INTRADAY`, `DELIVERY`, or `CARRYFORWARD` for a derivative that is carried forward."""
    if product is Product.INTRADAY:
        return "INTRADAY"
    return "DELIVERY" if instrument.kind == "EQ" else "CARRYFORWARD"


def product_fits(word: str, instrument: DayInstrument) -> bool:
    """Whether the segment knows the product: CARRYFORWARD is none of cash, DELIVERY and MARGIN none of derivatives."""
    if word == "INTRADAY":
        return True
    return (word == "CARRYFORWARD") == (instrument.kind != "EQ")


def order_type_word(kind: OrderType) -> str:
    """Only limit orders and stop-limits rest in the book."""
    return "STOPLOSS_LIMIT" if kind is OrderType.STOP_LIMIT else "LIMIT"


def varieties(order: AccountOrder) -> tuple[str, ...]:
    """What a change or cancel may call the order: as it was born and as it is now; the row shows the last."""
    born = order.history[0].type if order.history else order.sim.type
    words = ["STOPLOSS" if kind is OrderType.STOP_LIMIT else "NORMAL" for kind in (born, order.sim.type)]
    return tuple(dict.fromkeys(words))
