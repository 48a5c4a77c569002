"""The floor of the fan-out: one process between the market and one reader, which hands every frame on as it came.

python benchmarks/bare_relay.py <feed port> <own port>
"""

import sys

import uvloop
from bare_hops import Hop
from picows import WSMsgType, WSTransport, ws_connect, ws_create_server


async def main(feed_port: int, own_port: int) -> None:
    """Until the market is gone."""
    readers: list[WSTransport] = []
    server = await ws_create_server(lambda _request: Hop(lambda _data: None, readers.append), "127.0.0.1", own_port)

    def hand_on(data: bytes) -> None:
        for one in readers:
            one.send(WSMsgType.BINARY, data)

    forward = Hop(hand_on, lambda _transport: None)
    transport, _ = await ws_connect(lambda: forward, f"ws://127.0.0.1:{feed_port}/")
    await transport.wait_disconnected()
    server.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
