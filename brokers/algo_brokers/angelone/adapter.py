"""The thin shell: puts the calls of one account together. No write is ever repeated."""

from typing import Final

from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.angelone import limits, login
from algo_brokers.angelone.capability import CAPABILITY
from algo_brokers.angelone.feed import open_feed
from algo_brokers.angelone.market_reads import create_candle_read, create_instrument_read, create_price_reads
from algo_brokers.angelone.names import Names
from algo_brokers.angelone.order_calls import create_order_reads, create_writes
from algo_brokers.angelone.order_ids import UniqueIds
from algo_brokers.angelone.reads import create_account_reads
from algo_brokers.angelone.second_try import create_second_try
from algo_brokers.angelone.session import LOGIN_BASE
from algo_brokers.angelone.trigger_calls import create_triggers
from algo_brokers.calls import NO_SESSION, SessionCalls, create_read_call
from algo_brokers.discreet import Discreet
from algo_brokers.endpoints import Endpoints, simulated_endpoints
from algo_brokers.errors import SessionRefused
from algo_brokers.port import Broker, Feed, FeedListener

ENDPOINTS: Final = Endpoints(
    rest="https://apiconnect.angelone.in",
    auth="https://apiconnect.angelone.in",
    login=LOGIN_BASE,
    files="https://margincalculator.angelone.in",
    market_socket="wss://smartapisocket.angelone.in/smart-stream",
    order_socket="wss://tns.angelone.in/smart-order-update",
)

simulated = simulated_endpoints
create_login = login.create_login


def create_broker(parts: AdapterParts) -> Broker:
    """The adapter of one account."""
    sessions = SessionCalls(current=parts.current, session_over=parts.session_over)
    names, ids = Names(), UniqueIds()
    read_call = create_read_call(create_second_try(parts.transport(parts.endpoints.rest)), sessions)
    writes = create_writes(parts, sessions, names, ids)
    orders = create_order_reads(read_call, names, ids)
    reads = create_account_reads(read_call, names, parts.now)
    read_quotes, read_ltp = create_price_reads(read_call, names)

    async def open_sockets(*, listener: FeedListener) -> Feed:
        held = parts.current()
        if held is None:
            raise SessionRefused(NO_SESSION)
        ear = Discreet(listener, held)
        return await open_feed(parts.endpoints, held, ear, now=parts.now, name_of=names.name_of, on_ids=ids.learn)

    return Broker(
        capability=CAPABILITY,
        windows=limits.windows(parts.orders_per_window),
        login=create_login(parts.transport, parts.endpoints),
        place=writes.place,
        modify=writes.modify,
        cancel=writes.cancel,
        read_book=orders.book,
        read_order=orders.order,
        read_by_tag=orders.by_tag,
        read_trades=reads.trades,
        read_positions=reads.positions,
        read_holdings=reads.holdings,
        read_funds=reads.funds,
        read_margin=reads.margin,
        read_quotes=read_quotes,
        read_ltp=read_ltp,
        read_candles=create_candle_read(read_call, names, parts.now),
        read_instruments=create_instrument_read(parts.transport(parts.endpoints.files), names, parts.now),
        open_feed=open_sockets,
        triggers=create_triggers(parts, sessions, read_call, names),
    )
