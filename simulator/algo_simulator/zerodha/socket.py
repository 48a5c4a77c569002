"""What Kite's market socket says: prices in binary frames, order updates as text on all the account's connections."""

import time
from collections.abc import Sequence
from typing import Final

import msgspec
from algo_crds.contracts.world import CONNECTION_NOTICE

from algo_simulator.orders import AccountOrder, Snapshot, Stage
from algo_simulator.sockets import Batch, Connection, Dialect, Message
from algo_simulator.zerodha.frames import HEARTBEAT, frame, packet
from algo_simulator.zerodha.names import kite_token
from algo_simulator.zerodha.rows import update_payload

HEARTBEAT_S: Final = 1.0
MAX_CONNECTIONS: Final = 3
MAX_TOKENS: Final = 3_000
_PUBLIC: Final = frozenset(
    {Stage.LIVE, Stage.PARTLY_FILLED, Stage.FILLED, Stage.CANCELLED, Stage.REJECTED, Stage.MODIFIED}
)
_MODES: Final = ("ltp", "quote", "full")


class _ClientMessage(msgspec.Struct, frozen=True):
    a: str
    v: list[int | str | list[int]]


def dialect() -> Dialect:
    """The socket's behaviour; a connection's `state` is its modes by token."""
    return Dialect(
        opened=_opened,
        received=_received,
        ticks=_ticks,
        update=_update,
        heartbeat=_heartbeat,
        heartbeat_s=HEARTBEAT_S,
        max_connections=MAX_CONNECTIONS,
    )


def _opened(connection: Connection) -> None:
    connection.state = {}
    notice = {"type": CONNECTION_NOTICE, "data": connection.sent.connection}
    connection.put(msgspec.json.encode(notice).decode())


def _heartbeat(connection: Connection) -> None:
    if time.monotonic() - connection.sent_at >= HEARTBEAT_S / 2:
        connection.put(HEARTBEAT)


def _update(connection: Connection, order: AccountOrder, snapshot: Snapshot) -> Sequence[Message]:
    clock, account = connection.clock, connection.account
    if snapshot.stage not in _PUBLIC or clock is None or account is None:
        return ()
    market = clock.world.markets[f"{order.exchange}:{order.symbol}"]
    payload = update_payload(account.spec, order, snapshot, market)
    return (msgspec.json.encode({"type": "order", "data": payload}).decode(),)


def _ticks(connection: Connection, batch: Batch) -> Sequence[Message]:
    modes: dict[int, str] = connection.state
    mode = modes.get(kite_token(batch.market.instrument))
    if mode is None:
        return ()
    if mode not in batch.made:
        batch.made[mode] = [frame([packet(mode, batch.market, row) for row in batch.rows])]
    return batch.made[mode]


def _received(connection: Connection, text: Message) -> None:
    """Subscribe, unsubscribe or set a mode; repeated subscriptions are no error."""
    try:
        message = msgspec.json.decode(text, type=_ClientMessage)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        connection.put('{"type":"error","data":"Invalid message."}')
        return
    modes: dict[int, str] = connection.state
    if message.a == "mode" and len(message.v) == 2 and isinstance(message.v[1], list):
        mode = message.v[0]
        if isinstance(mode, str) and mode in _MODES:
            modes.update(dict.fromkeys((token for token in message.v[1] if token in modes), mode))
        return
    tokens = [token for token in message.v if isinstance(token, int)]
    if message.a == "unsubscribe":
        for token in tokens:
            modes.pop(token, None)
    elif message.a == "subscribe":
        _subscribe(connection, modes, tokens)
    else:
        connection.put('{"type":"error","data":"Unknown action."}')


def _subscribe(connection: Connection, modes: dict[int, str], tokens: list[int]) -> None:
    # Only what this world trades is kept: the rest is silent, as an unknown token is.
    markets = connection.clock.world.markets.values() if connection.clock is not None else ()
    known = {kite_token(market.instrument) for market in markets}
    modes.update({token: "quote" for token in tokens if token in known and token not in modes})
    if len(tokens) > MAX_TOKENS:
        connection.put('{"type":"error","data":"Too many instruments on this connection."}')
