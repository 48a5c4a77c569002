"""The market socket (HSM): in-band login, topics on channels, one snapshot of each topic and then its changes.

A client that sends an `Authorization` header with the handshake is accepted and never answered, as the real gateway
does; the account's quirk `header_allowed` turns that off. Other quirks: `acknowledge` (the server wants an
acknowledgement after every second data frame), `chatty` (a message of type 51 that concerns nobody follows the login).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from algo_simulator.fyers import client_frames as said
from algo_simulator.fyers import frames
from algo_simulator.fyers.client_frames import ClientFrame, NotAFrameError, channels_in, read_frame, topics_in
from algo_simulator.fyers.session import by_feed_key
from algo_simulator.fyers.topics import Topic, find_topic, newest_row, values
from algo_simulator.sockets import Batch, Connection, Dialect, Message, Sockets
from algo_simulator.worlds import Worlds

MAX_TOPICS: Final = 5_000
ACK_EVERY: Final = 2


class _Sent(msgspec.Struct):
    """A subscribed topic: its handle on this connection, who listens, and what was sent last."""

    handle: int
    topic: Topic
    channels: set[int]
    before: list[int]
    """Empty: the snapshot is still to come."""


class HsmState(msgspec.Struct):
    """What a connection has asked for."""

    silent: bool = False
    """Nothing is ever answered."""
    lite: set[int] = msgspec.field(default_factory=set)
    paused: set[int] = msgspec.field(default_factory=set)
    topics: dict[str, _Sent] = msgspec.field(default_factory=dict)
    asked: set[str] = msgspec.field(default_factory=set)
    """Every topic subscribed to, known to this world or not: all of them count."""
    handles: int = 0
    number: int = 0
    acknowledged: int = 0
    """The newest message that the client acknowledged."""


def market_sockets(worlds: Worlds) -> Sockets:
    """The market socket of the Fyers port."""

    def received(connection: Connection, message: Message) -> None:
        state: HsmState = connection.state
        if isinstance(message, str):
            return
        try:
            frame = read_frame(message)
            if frame.type == said.AUTH:
                _authenticate(worlds, sockets, connection, frame)
            elif state.silent:
                return
            elif connection.account is not None:
                _act(connection, state, frame)
            elif frame.type in (said.SUBSCRIBE, said.UNSUBSCRIBE, said.MODE, said.PAUSE, said.RESUME):
                connection.put(frames.reply(frame.type, accepted=False))
        except NotAFrameError:
            return

    sockets = Sockets(Dialect(received=received, opened=_opened, ticks=_ticks))
    return sockets


def _opened(connection: Connection) -> None:
    connection.state = HsmState(silent="Authorization" in connection.request.headers)


def _authenticate(worlds: Worlds, sockets: Sockets, connection: Connection, frame: ClientFrame) -> None:
    caller = by_feed_key(worlds, frame.fields.get(1, b"").decode("ascii", "replace"))
    state: HsmState = connection.state
    if state.silent and (caller is None or "header_allowed" not in caller.account.spec.quirks):
        return
    state.silent = False
    if caller is None or connection.account is not None:
        connection.put(frames.auth_reply(accepted=False, ack_every=0))
        return
    caller.clock.world.prepare()
    if not sockets.bind(connection, caller.clock, caller.account):
        return
    quirks = caller.account.spec.quirks
    connection.put(frames.auth_reply(accepted=True, ack_every=ACK_EVERY if "acknowledge" in quirks else 0))
    connection.put(frames.master_data())
    if "chatty" in quirks:
        connection.put(frames.custom_message(51000, "Planned maintenance on Saturday", 0))


def _act(connection: Connection, state: HsmState, frame: ClientFrame) -> None:
    kind, fields = frame
    if kind == said.MODE:
        channels, mode = channels_in(fields.get(1, b"")), fields.get(2, b"")
        known = mode in (said.FULL.encode(), said.LITE.encode())
        if known:
            state.lite = state.lite | set(channels) if mode == b"L" else state.lite - set(channels)
        connection.put(frames.reply(kind, accepted=known))
    elif kind in (said.PAUSE, said.RESUME):
        channels = channels_in(fields.get(1, b""))
        state.paused = state.paused | set(channels) if kind == said.PAUSE else state.paused - set(channels)
        connection.put(frames.reply(kind, accepted=True))
    elif kind in (said.SUBSCRIBE, said.UNSUBSCRIBE):
        topics, channel = topics_in(fields.get(1, b"")), int.from_bytes(fields.get(2, b""))
        (_subscribe if kind == said.SUBSCRIBE else _unsubscribe)(connection, state, topics, channel)
    elif kind == said.ACK:
        state.acknowledged = int.from_bytes(fields.get(1, b""))


def _subscribe(connection: Connection, state: HsmState, names: list[str], channel: int) -> None:
    assert connection.clock is not None
    if len(state.asked.union(names)) > MAX_TOPICS:
        text = f"You can subscribe to at most {MAX_TOPICS} symbols"
        connection.put(frames.custom_message(frames.SYMBOL_LIMIT, text, said.SUBSCRIBE))
        return
    state.asked.update(names)
    connection.put(frames.reply(said.SUBSCRIBE, accepted=True))
    markets, items = connection.clock.world.markets, list[bytes]()
    mute = connection.account is not None and connection.account.faults.mute_feed
    for name in dict.fromkeys(names):
        topic = find_topic(markets, name)
        if topic is None:
            # What this world does not trade is silent, as an unknown topic is.
            continue
        sent = state.topics.get(name)
        if sent is None:
            state.handles += 1
            sent = state.topics[name] = _Sent(state.handles, topic, set(), [])
        sent.channels.add(channel)
        sent.before = [] if mute else values(topic.kind, topic.market, newest_row(topic.market))
        if sent.before:
            items.append(frames.snapshot(sent.handle, name, sent.before, topic.names))
    if items:
        connection.put(_numbered(state, items))


def _unsubscribe(connection: Connection, state: HsmState, names: list[str], channel: int) -> None:
    for name in names:
        sent = state.topics.get(name)
        if sent is not None:
            sent.channels.discard(channel)
        if sent is None or not sent.channels:
            state.topics.pop(name, None)
            state.asked.discard(name)
    connection.put(frames.reply(said.UNSUBSCRIBE, accepted=True))


def _numbered(state: HsmState, items: Sequence[bytes]) -> bytes:
    state.number += 1
    return frames.data_frame(state.number, items)


def _ticks(connection: Connection, batch: Batch) -> Sequence[Message]:
    state: HsmState = connection.state
    items: list[bytes] = []
    for sent in state.topics.values():
        if sent.topic.market is batch.market and (open_ones := sent.channels - state.paused):
            items += _changes(sent, batch, lite=open_ones <= state.lite)
    return [_numbered(state, items)] if items else ()


def _changes(sent: _Sent, batch: Batch, *, lite: bool) -> list[bytes]:
    """The updates of a topic for the rows of a batch: in lite mode only of the last price, and none of depth."""
    items: list[bytes] = []
    for row in batch.rows:
        after = values(sent.topic.kind, sent.topic.market, row)
        changed = frames.changes(sent.before, after) if sent.before else None
        if not sent.before:
            items.append(frames.snapshot(sent.handle, sent.topic.name, after, sent.topic.names))
        elif changed is not None and not lite:
            items.append(frames.update(sent.handle, changed))
        elif changed is not None and sent.topic.kind != "dp" and changed[0] != frames.ABSENT:
            items.append(frames.lite_update(sent.handle, after[0]))
        sent.before = after
    return items
