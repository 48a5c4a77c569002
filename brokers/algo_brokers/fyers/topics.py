"""Topics of the market socket (HSM), from fyTokens: `sf|nse_cm|3045` for a price, `if|nse_cm|Nifty 50` for an index.

An index is named as the exchange names it, neither by ticker nor by token. The public file `index_hsm_mapping.json`
has these names; the main ones are here as well, for a day on which the file cannot be read. Source: docs v3, official
SDK's behaviour.
"""

from collections.abc import Mapping
from typing import Final

from algo_brokers.fyers.decoding import decode
from algo_brokers.fyers.names import fytoken_parts
from algo_brokers.http import HttpRequest

INDEX_FILE: Final = HttpRequest("GET", "/sym_details/index_hsm_mapping.json")

_SEGMENTS: Final = {
    (10, 10): "nse_cm",
    (10, 11): "nse_fo",
    (10, 12): "cde_fo",
    (10, 20): "nse_com",
    (11, 20): "mcx_fo",
    (12, 10): "bse_cm",
    (12, 11): "bse_fo",
    (12, 12): "bcs_fo",
}
MAIN_INDICES: Final = {
    "NSE:NIFTY50-INDEX": "Nifty 50",
    "NSE:NIFTYBANK-INDEX": "Nifty Bank",
    "NSE:FINNIFTY-INDEX": "Nifty Fin Service",
    "NSE:MIDCPNIFTY-INDEX": "NIFTY MID SELECT",
    "NSE:INDIAVIX-INDEX": "India VIX",
    "BSE:SENSEX-INDEX": "SENSEX",
}
PRICE: Final = "sf"
DEPTH: Final = "dp"
INDEX: Final = "if"


def index_names(data: bytes) -> dict[str, str]:
    """Exchange names of indices by Fyers' symbol. Raises `BadAnswer`."""
    return decode(data, dict[str, str], "list of index names")


def price_topic(token: int, *, kind: str = PRICE) -> str:
    """The topic of what is no index.

    Raises:
        ValueError: the token is no fyToken of a documented segment.
    """
    exchange, segment, own = fytoken_parts(token)
    name = _SEGMENTS.get((exchange, segment))
    if name is None:
        raise ValueError(f"fyToken {token} is of an unknown segment")
    return f"{kind}|{name}|{own}"


def index_topic(token: int, broker_symbol: str, names: Mapping[str, str]) -> str:
    """The topic of an index: by the file, by our names, or by the ticker at last. Raises `ValueError`."""
    exchange, segment, _ = fytoken_parts(token)
    name = _SEGMENTS.get((exchange, segment))
    if name is None:
        raise ValueError(f"fyToken {token} is of an unknown segment")
    plain = broker_symbol.rpartition(":")[2].removesuffix("-INDEX")
    return f"{INDEX}|{name}|{names.get(broker_symbol) or MAIN_INDICES.get(broker_symbol) or plain}"
