"""What the streaming socket says: binary packets in four modes, error texts, and `pong`.

The client may keep the line alive with the text `ping` or with WebSocket pings; both count.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from algo_market.row_parsers import Trade

from algo_simulator.angelone.frames import DEEP, DEPTH, MODES, Tick, packet
from algo_simulator.angelone.names import EXCHANGE_TYPES, angel_token, exchange_type
from algo_simulator.angelone.rules import IDLE_S, rules_of
from algo_simulator.depth import levels
from algo_simulator.market import Market
from algo_simulator.quotes import quote_of
from algo_simulator.sockets import Batch, Connection, Dialect, Message

MAX_CONNECTIONS: Final = 3
MAX_SUBSCRIPTIONS: Final = 1_000
MAX_DEPTH_TOKENS: Final = 50
PING: Final = "ping"
PONG: Final = "pong"
BAD_REQUEST: Final = ("E1001", "Invalid Request Payload.")
OVER_QUOTA: Final = ("E1002", "Invalid Request. Subscription Limit Exceeded")
_HEARTBEAT_S: Final = 1.0
_CASH: Final = EXCHANGE_TYPES["NSE"]
_SUBSCRIBE: Final = 1

Key = tuple[int, str]
"""Exchange type and token."""


class _Tokens(msgspec.Struct, frozen=True, rename="camel"):
    exchange_type: int
    tokens: list[str]


class _Params(msgspec.Struct, frozen=True, rename="camel"):
    mode: int
    token_list: list[_Tokens]


class _Request(msgspec.Struct, frozen=True):
    action: int
    params: _Params
    correlation: str = msgspec.field(name="correlationID", default="")


class _Named(msgspec.Struct, frozen=True):
    correlation: str = msgspec.field(name="correlationID", default="")


Subscriptions = dict[Key, set[int]]


def market_dialect(idle_s: float = IDLE_S, monotonic: Callable[[], float] = time.monotonic) -> Dialect:
    """The socket's behaviour; a connection's `state` is its modes by exchange type and token."""

    def heartbeat(connection: Connection) -> None:
        if monotonic() - connection.heard_at > idle_s:
            connection.close()

    return Dialect(
        opened=_opened,
        received=_received,
        ticks=_ticks,
        heartbeat=heartbeat,
        heartbeat_s=min(_HEARTBEAT_S, idle_s / 2),
        monotonic=monotonic,
        max_connections=MAX_CONNECTIONS,
    )


def _opened(connection: Connection) -> None:
    connection.state = {}


def _ticks(connection: Connection, batch: Batch) -> Sequence[Message]:
    subscriptions: Subscriptions = connection.state
    market = batch.market
    modes = subscriptions.get((exchange_type(market.instrument), angel_token(market.instrument)))
    if not modes:
        return ()
    # The numbers are the market's own: a client drops packets that are not newer, over reconnects too.
    first = market.rows_shown - len(batch.rows) + 1
    found: list[Message] = []
    for mode in sorted(modes):
        if mode not in batch.made:
            batch.made[mode] = [
                packet(mode, tick_of(market, row, first + n, batch.now)) for n, row in enumerate(batch.rows)
            ]
        found += batch.made[mode]
    return found


def tick_of(market: Market, row: Trade, sequence: int, now: int) -> Tick:
    """What a packet tells of a recorded row: price, time and volume are the row's own, dirt included."""
    instrument, quote = market.instrument, quote_of(market)
    kind, token = exchange_type(instrument), angel_token(instrument)
    plain = Tick(
        exchange_type=kind,
        token=token,
        sequence=sequence,
        time=row.time,
        received=now,
        last=row.price,
        open=quote.open or row.price,
        high=quote.high or row.price,
        low=quote.low or row.price,
        close=quote.close,
    )
    if instrument.kind == "INDEX":
        return msgspec.structs.replace(plain, sequence=0)
    bids, asks = levels(market, row.price, DEEP)
    return msgspec.structs.replace(
        plain,
        last_quantity=quote.last_quantity,
        average=quote.average or row.price,
        volume=row.volume,
        total_buy=float(quote.buy_quantity),
        total_sell=float(quote.sell_quantity),
        last_trade=row.time,
        open_interest=quote.open_interest,
        bids=bids,
        asks=asks,
        upper_circuit=quote.upper_circuit,
        lower_circuit=quote.lower_circuit,
        year_high=plain.high,
        year_low=plain.low,
    )


def _received(connection: Connection, message: Message) -> None:
    """Subscribe or unsubscribe; there is no success reply, and repeats and unknown tokens are no error."""
    if message == PING:
        connection.put(PONG)
        return
    try:
        request = msgspec.json.decode(message, type=_Request)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _complain(connection, _correlation(message), BAD_REQUEST)
        return
    mode, kinds = request.params.mode, {group.exchange_type for group in request.params.token_list}
    if mode not in MODES or not kinds <= set(EXCHANGE_TYPES.values()) or request.action not in (0, _SUBSCRIBE):
        _complain(connection, request.correlation, BAD_REQUEST)
        return
    keys = [(group.exchange_type, token) for group in request.params.token_list for token in group.tokens]
    if request.action != _SUBSCRIBE:
        for key in keys:
            connection.state.get(key, set()).discard(mode)
        return
    refused = _subscribe(connection, mode, keys)
    if refused is not None:
        _complain(connection, request.correlation, refused)


def _subscribe(connection: Connection, mode: int, keys: list[Key]) -> tuple[str, str] | None:
    subscriptions: Subscriptions = connection.state
    if mode == DEPTH and any(kind != _CASH for kind, _ in keys):
        return BAD_REQUEST
    fresh = [key for key in dict.fromkeys(keys) if mode not in subscriptions.get(key, ())]
    held = sum(len(modes) for modes in subscriptions.values())
    deep = sum(DEPTH in modes for modes in subscriptions.values())
    if held + len(fresh) > MAX_SUBSCRIPTIONS or (mode == DEPTH and deep + len(fresh) > MAX_DEPTH_TOKENS):
        return OVER_QUOTA
    for key in fresh:
        subscriptions.setdefault(key, set()).add(mode)
    _first_packets(connection, mode, set(fresh))
    return None


def _first_packets(connection: Connection, mode: int, fresh: set[Key]) -> None:
    """The last known packet of what was just asked for, where there is one."""
    clock, account = connection.clock, connection.account
    if clock is None or account is None or account.faults.mute_feed or not rules_of(account.spec).first_packet:
        return
    for market in clock.world.markets.values():
        stats = market.stats
        if not stats.last or (exchange_type(market.instrument), angel_token(market.instrument)) not in fresh:
            continue
        row = Trade(stats.last_time, stats.last, stats.volume)
        connection.put(packet(mode, tick_of(market, row, market.rows_shown, clock.world.now)))


def _complain(connection: Connection, correlation: str, problem: tuple[str, str]) -> None:
    code, message = problem
    body = {"correlationID": correlation, "errorCode": code, "errorMessage": message}
    connection.put(msgspec.json.encode(body).decode())


def _correlation(message: Message) -> str:
    try:
        return msgspec.json.decode(message, type=_Named).correlation
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
