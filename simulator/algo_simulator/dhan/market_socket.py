"""What the live feed v2 says: JSON requests in, one binary packet a message out.

A client is known by the query of its handshake (`token`, `clientId`, `version=2`, `authType=2`); nothing answers a
login or a subscription. The sixth connection of an account pushes the oldest out with reason 805.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from algo_market.row_parsers import Trade

from algo_simulator.dhan import frames
from algo_simulator.dhan.names import find_market, security_id, segment_of
from algo_simulator.market import Market
from algo_simulator.sockets import Batch, Connection, Dialect, Message

PING_S: Final = 10.0
REFUSED_S: Final = 2.0
"""How long a refused client may stay silent before it is closed."""
MAX_CONNECTIONS: Final = 5
MAX_INSTRUMENTS: Final = 5_000
MAX_PER_MESSAGE: Final = 100
GOODBYE: Final = 12
TICKER, QUOTE, FULL = 15, 17, 21
MODES: Final = (TICKER, QUOTE, FULL)
"""Request codes that subscribe; each plus one unsubscribes."""
TOO_MANY_CONNECTIONS: Final = 805
TOO_MANY_INSTRUMENTS: Final = 804
INVALID_REQUEST: Final = 814


class _Instrument(msgspec.Struct, frozen=True):
    segment: str = msgspec.field(name="ExchangeSegment")
    identity: str = msgspec.field(name="SecurityId")


class _Request(msgspec.Struct, frozen=True):
    code: int = msgspec.field(name="RequestCode")
    instruments: list[_Instrument] = msgspec.field(name="InstrumentList", default_factory=list)


Key = tuple[str, str]


@dataclass(slots=True)
class _Subscriptions:
    """The modes of each instrument: the same one may be followed in several."""

    modes: dict[Key, set[int]] = field(default_factory=dict)
    refused: bool = False
    told_open: bool = False


_decode: Final = msgspec.json.Decoder(_Request).decode


Authorise = Callable[[Connection], int]
"""0 where the handshake's query proves a live token, otherwise the code that the connection is ended with."""


def dialect(authorise: Authorise) -> Dialect:
    """The socket's behaviour."""

    def opened(connection: Connection) -> None:
        connection.state = _Subscriptions()
        reason = authorise(connection)
        if reason:
            # Told at once; closed once the client has spoken, which it does right after the handshake (the SDK
            # would otherwise fail in its first send and never read the reason).
            connection.put(frames.disconnect(reason))
            connection.state.refused = True

    def ticks(connection: Connection, batch: Batch) -> Sequence[Message]:
        packets = _ticks(connection, batch)
        if packets and (reason := authorise(connection)):
            # The token died meanwhile: expired, or killed by a newer login.
            _end(connection, reason)
            return ()
        return packets

    return Dialect(
        opened=opened,
        received=_received,
        ticks=ticks,
        heartbeat=_close_if_refused,
        heartbeat_s=REFUSED_S,
        ping_s=PING_S,
        max_connections=MAX_CONNECTIONS,
        kick=lambda oldest: oldest.put(frames.disconnect(TOO_MANY_CONNECTIONS)),
    )


def _close_if_refused(connection: Connection) -> None:
    if connection.state.refused:
        connection.close()


def _received(connection: Connection, message: Message) -> None:
    """Subscribe, unsubscribe or say goodbye. Binary is the old protocol's goodbye, which the SDK still sends."""
    _close_if_refused(connection)
    if connection.closing or not isinstance(message, str):
        return
    try:
        request = _decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _end(connection, INVALID_REQUEST)
        return
    if request.code == GOODBYE:
        connection.close()
    elif request.code in MODES:
        _subscribe(connection, request)
    elif request.code - 1 in MODES:
        _unsubscribe(connection.state, request)


def _end(connection: Connection, reason: int) -> None:
    connection.put(frames.disconnect(reason))
    connection.close()


def _subscribe(connection: Connection, request: _Request) -> None:
    state: _Subscriptions = connection.state
    if len(request.instruments) > MAX_PER_MESSAGE:
        _end(connection, TOO_MANY_INSTRUMENTS)
        return
    for instrument in request.instruments:
        key = (instrument.segment, instrument.identity)
        markets = connection.clock.world.markets if connection.clock is not None else {}
        market = find_market(markets, *key)
        # What this world does not trade is silent, as an unknown id is.
        if market is None or request.code in state.modes.get(key, ()):
            continue
        state.modes.setdefault(key, set()).add(request.code)
        for packet in _first(market, request.code):
            connection.put(packet)
    if len(state.modes) > MAX_INSTRUMENTS:
        _end(connection, TOO_MANY_INSTRUMENTS)


def _unsubscribe(state: _Subscriptions, request: _Request) -> None:
    for instrument in request.instruments:
        key = (instrument.segment, instrument.identity)
        state.modes.get(key, set()).discard(request.code - 1)
        if not state.modes.get(key, True):
            del state.modes[key]


def _first(market: Market, mode: int) -> list[Message]:
    """What a new subscription is answered with: the previous close, and the mode's packet once there is a price."""
    packets: list[Message] = [frames.previous_close(market)]
    stats = market.stats
    if stats.last:
        packets += _packets(market, Trade(stats.last_time, stats.last, stats.volume), mode)
    return packets


def _packets(market: Market, row: Trade, mode: int) -> list[Message]:
    if mode == TICKER:
        return [frames.ticker(market, row)]
    if mode == FULL:
        return [frames.full(market, row)]
    derivative = market.instrument.expiry is not None
    return [frames.quote(market, row), *([frames.open_interest(market)] if derivative else [])]


def _ticks(connection: Connection, batch: Batch) -> Sequence[Message]:
    state: _Subscriptions = connection.state
    instrument = batch.market.instrument
    modes = state.modes.get((segment_of(instrument), str(security_id(instrument))))
    if not modes:
        return ()
    # Published without saying when it is sent; here before the first prices of a connection.
    told: list[Message] = [] if state.told_open else [frames.market_status(batch.market)]
    state.told_open = True
    for mode in sorted(modes):
        if mode not in batch.made:
            batch.made[mode] = [packet for row in batch.rows for packet in _packets(batch.market, row, mode)]
        told += batch.made[mode]
    return told
