"""What the order socket says: a greeting, then every public stage of every order of the account, and `pong`."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from algo_simulator.accounts import ORDER_STREAM
from algo_simulator.angelone.market_socket import MAX_CONNECTIONS, PING, PONG
from algo_simulator.angelone.order_calls import shown
from algo_simulator.angelone.rules import IDLE_S
from algo_simulator.front import Caller
from algo_simulator.orders import AccountOrder, Snapshot
from algo_simulator.sockets import Connection, Dialect, Message

_HEARTBEAT_S: Final = 1.0
_CODES: Final = {
    "open": "AB01",
    "cancelled": "AB02",
    "rejected": "AB03",
    "modified": "AB04",
    "complete": "AB05",
    "after market order req received": "AB06",
    "cancelled after market order": "AB07",
    "modify after market order req received": "AB08",
    "open pending": "AB09",
    "trigger pending": "AB10",
    "modify pending": "AB11",
    "not modified": "AB01",
}
"""`order-status` by the row's status. A refused change has no code of its own: the order is as open as before."""
_NUMBERS: Final = frozenset(
    {"price", "triggerprice", "squareoff", "stoploss", "trailingstoploss", "strikeprice", "averageprice"}
)
_FIELDS: Final = (
    "variety",
    "ordertype",
    "ordertag",
    "producttype",
    "price",
    "triggerprice",
    "quantity",
    "disclosedquantity",
    "duration",
    "squareoff",
    "stoploss",
    "trailingstoploss",
    "tradingsymbol",
    "transactiontype",
    "exchange",
    "symboltoken",
    "instrumenttype",
    "strikeprice",
    "optiontype",
    "expirydate",
    "lotsize",
    "cancelsize",
    "averageprice",
    "filledshares",
    "unfilledshares",
    "orderid",
    "text",
    "status",
    "orderstatus",
    "updatetime",
    "exchtime",
    "exchorderupdatetime",
    "fillid",
    "filltime",
    "parentorderid",
)
_EMPTY: Final[dict[str, object]] = {name: 0.0 if name in _NUMBERS else "" for name in _FIELDS}
"""The order of the greeting."""


def order_dialect(idle_s: float = IDLE_S, monotonic: Callable[[], float] = time.monotonic) -> Dialect:
    """The socket's behaviour. Nothing is replayed after a reconnect."""

    def heartbeat(connection: Connection) -> None:
        if monotonic() - connection.heard_at > idle_s:
            connection.close()

    return Dialect(
        stream=ORDER_STREAM,
        opened=_opened,
        received=_received,
        update=_update,
        heartbeat=heartbeat,
        heartbeat_s=min(_HEARTBEAT_S, idle_s / 2),
        monotonic=monotonic,
        max_connections=MAX_CONNECTIONS,
    )


def _opened(connection: Connection) -> None:
    client = connection.account.spec.client_id if connection.account is not None else ""
    connection.put(_message(client, "AB00", _EMPTY))


def _received(connection: Connection, message: Message) -> None:
    if message == PING:
        connection.put(PONG)


def _update(connection: Connection, order: AccountOrder, snapshot: Snapshot) -> Sequence[Message]:
    clock, account = connection.clock, connection.account
    if clock is None or account is None:
        return ()
    row = shown(Caller(clock, account), order, snapshot, event=True)
    code = _CODES.get(str(row["status"]))
    return () if code is None else (_message(account.spec.client_id, code, row),)


def _message(client: str, code: str, row: dict[str, object]) -> str:
    body = {"user-id": client, "status-code": "200", "order-status": code, "error-message": "", "orderData": row}
    return msgspec.json.encode(body).decode()
