"""What the order-update socket says: a JSON login in band, then one `order_alert` for each stage of every order.

A bad login is answered by nothing: the line is cut, as the real server does. Nothing is replayed to a new connection.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from algo_simulator.accounts import ORDER_STREAM
from algo_simulator.dhan.forever import parent_id
from algo_simulator.dhan.state import PASCAL_UPDATES, quirk
from algo_simulator.dhan.updates import pascal, told, update_data
from algo_simulator.front import Caller
from algo_simulator.orders import AccountOrder, Snapshot
from algo_simulator.sockets import Connection, Dialect, Message

LOGIN: Final = 42
PING_S: Final = 10.0


class _LoginReq(msgspec.Struct, frozen=True):
    code: int = msgspec.field(name="MsgCode")
    client_id: str = msgspec.field(name="ClientId")
    token: str = msgspec.field(name="Token", default="")


class _Login(msgspec.Struct, frozen=True):
    login: _LoginReq = msgspec.field(name="LoginReq")
    user_type: str = msgspec.field(name="UserType", default="SELF")


Authorise = Callable[[str, str], Caller | None]
"""(client id, token) -> whose connection it is."""
Bind = Callable[[Connection, Caller], None]
_decode: Final = msgspec.json.Decoder(_Login).decode


def dialect(authorise: Authorise, bind: Bind) -> Dialect:
    """The socket's behaviour."""

    def received(connection: Connection, message: Message) -> None:
        if connection.account is not None:
            return
        caller = _caller(message, authorise)
        if caller is None:
            cut(connection)
            return
        bind(connection, caller)

    def update(connection: Connection, order: AccountOrder, snapshot: Snapshot) -> Sequence[Message]:
        clock, account = connection.clock, connection.account
        if clock is None or account is None or not told(snapshot):
            return ()
        return (_alert(Caller(clock, account), order, snapshot),)

    return Dialect(stream=ORDER_STREAM, received=received, update=update, ping_s=PING_S)


def cut(connection: Connection) -> None:
    """End a connection without a word."""
    transport = connection.request.transport
    if transport is not None:
        transport.abort()
    connection.close(1006)


def _caller(message: Message, authorise: Authorise) -> Caller | None:
    try:
        login = _decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    request = login.login
    if request.code != LOGIN or login.user_type != "SELF":
        return None
    return authorise(request.client_id, request.token)


def _alert(caller: Caller, order: AccountOrder, snapshot: Snapshot) -> str:
    trades = [trade for trade in caller.account.trades if trade.order is order]
    data = update_data(
        order,
        snapshot,
        caller.clock.world.markets[f"{order.exchange}:{order.symbol}"],
        last_trade=trades[-1] if trades and snapshot.filled else None,
        parent=parent_id(caller, order),
        key=pascal if quirk(caller.account, PASCAL_UPDATES) else lambda name: name,
    )
    return msgspec.json.encode({"Data": data, "Type": "order_alert"}).decode()
