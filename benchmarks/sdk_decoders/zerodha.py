"""`KiteTicker._parse_binary` of the official `kiteconnect`."""

from kiteconnect import KiteTicker
from rounds import serve

ticker = KiteTicker("key", "token")


def prices(frame: bytes) -> list[tuple[int, int]]:
    return [(tick["instrument_token"], round(tick["last_price"] * 10_000)) for tick in ticker._parse_binary(frame)]


serve(ticker._parse_binary, prices)
