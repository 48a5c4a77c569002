"""`SmartWebSocketV2._parse_binary_data` of the official `smartapi-python`, without its logging of every message."""

from rounds import serve
from SmartApi.smartWebSocketV2 import SmartWebSocketV2

socket = SmartWebSocketV2("token", "key", "SM0001", "feed")


def prices(frame: bytes) -> list[tuple[int, int]]:
    tick = socket._parse_binary_data(frame)
    return [(tick["exchange_type"] << 32 | int(tick["token"]), tick["last_traded_price"] * 100)]


serve(socket._parse_binary_data, prices)
