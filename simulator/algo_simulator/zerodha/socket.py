"""What Kite's market socket says: prices in binary frames, order updates as text on all the account's connections."""

from collections.abc import Sequence
from typing import Final

import msgspec

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


class _Wanted:
    """A connection's subscriptions; what the world does not trade is counted and stays silent."""

    def __init__(self) -> None:
        self.modes: dict[int, str] = {}
        self.silent: set[int] = set()

    def add(self, token: int, *, known: bool) -> bool:
        """Take a token in; False where the connection has as many as it may."""
        if token in self.modes or token in self.silent:
            return True
        if len(self.modes) + len(self.silent) >= MAX_TOKENS:
            return False
        if known:
            self.modes[token] = "quote"
        else:
            self.silent.add(token)
        return True

    def drop(self, token: int) -> None:
        """Let a token go."""
        self.modes.pop(token, None)
        self.silent.discard(token)


def dialect() -> Dialect:
    """The socket's behaviour."""
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
    connection.state = _Wanted()


def _heartbeat(connection: Connection) -> None:
    if connection.monotonic() - connection.sent_at >= HEARTBEAT_S / 2:
        connection.put(HEARTBEAT)


def _update(connection: Connection, order: AccountOrder, snapshot: Snapshot) -> Sequence[Message]:
    clock, account = connection.clock, connection.account
    if snapshot.stage not in _PUBLIC or clock is None or account is None:
        return ()
    market = clock.world.markets[f"{order.exchange}:{order.symbol}"]
    payload = update_payload(account.spec, order, snapshot, market)
    return (msgspec.json.encode({"type": "order", "data": payload}).decode(),)


def _ticks(connection: Connection, batch: Batch) -> Sequence[Message]:
    wanted: _Wanted = connection.state
    mode = wanted.modes.get(kite_token(batch.market.instrument))
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
    wanted: _Wanted = connection.state
    modes = wanted.modes
    if message.a == "mode" and len(message.v) == 2 and isinstance(message.v[1], list):
        mode = message.v[0]
        if isinstance(mode, str) and mode in _MODES:
            modes.update(dict.fromkeys((token for token in message.v[1] if token in modes), mode))
        return
    tokens = [token for token in message.v if isinstance(token, int)]
    if message.a == "unsubscribe":
        for token in tokens:
            wanted.drop(token)
    elif message.a == "subscribe":
        _subscribe(connection, wanted, tokens)
    else:
        connection.put('{"type":"error","data":"Unknown action."}')


def _subscribe(connection: Connection, wanted: _Wanted, tokens: list[int]) -> None:
    markets = connection.clock.world.markets.values() if connection.clock is not None else ()
    known = {kite_token(market.instrument) for market in markets}
    # Every token is tried: the connection lives on with those that found room.
    taken = [wanted.add(token, known=token in known) for token in tokens]
    if not all(taken):
        connection.put('{"type":"error","data":"Too many instruments on this connection."}')
