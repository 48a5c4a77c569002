"""Copies of prices for charts, recorders and pages: every tick of a source, in batches on one channel.

Nothing that trades reads them: a channel of Redis may lose a message. `seq` tells it.
"""

import msgspec


class TickCopy(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One tick as it came from the broker: price in 1/10 000 rupee, exchange time (ms, 0 if unknown), day's volume."""

    exchange: str
    symbol: str
    price: int
    time: int
    volume: int


class TickBatch(msgspec.Struct, frozen=True):
    """The ticks since the batch before, in order of arrival."""

    seq: int
    """One more than the batch before; it begins anew with 1 when the gateway starts. A gap: a batch was lost."""
    ticks: list[TickCopy]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(TickBatch)


def encode_batch(batch: TickBatch) -> bytes:
    """A message of the channel."""
    return _ENCODER.encode(batch)


def decode_batch(data: bytes) -> TickBatch:
    """A message of the channel.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _DECODER.decode(data)
