"""Reads are asked once more where the broker calls a good token invalid.

`AG8001` comes at random (forum); one second later the same token is good. Only reads pass here: an order is sent once.
A second `AG8001` is believed, and then only a login helps: no loop, the broker locks accounts.
"""

import asyncio
from typing import Final

from algo_brokers.angelone import envelope, rejections
from algo_brokers.http import HttpAnswer, HttpRequest, Transport

WAIT_S: Final = 1.0


def create_second_try(send: Transport, *, wait_s: float = WAIT_S) -> Transport:
    """A transport for reads over `send`."""

    async def read(request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
        answer = await send(request, timeout_s=timeout_s)
        opened = envelope.open_envelope(answer)
        if not isinstance(opened, envelope.Failure) or opened.code != rejections.SUSPECT:
            return answer
        await asyncio.sleep(wait_s)
        return await send(request, timeout_s=timeout_s)

    return read
