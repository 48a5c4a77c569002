"""The thin shell: sends what the builders make and hands answers to the parsers. No write is ever repeated."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from algo_crds.contracts.orders import OrderRow

from algo_brokers.adapter_parts import AdapterParts, TransportTo
from algo_brokers.calls import (
    NO_SESSION,
    SessionCalls,
    answered,
    create_read_call,
    create_write_call,
    without,
)
from algo_brokers.directory import Directory
from algo_brokers.discreet import Discreet
from algo_brokers.endpoints import Endpoints, simulated_endpoints
from algo_brokers.errors import BrokerError, SessionRefused
from algo_brokers.fyers import feed, limits, requests, responses, session, topics
from algo_brokers.fyers.account_reads import create_account_reads
from algo_brokers.fyers.capability import CAPABILITY
from algo_brokers.fyers.envelope import read_body, write_outcome
from algo_brokers.fyers.price_reads import create_price_reads
from algo_brokers.fyers.trigger_calls import create_triggers
from algo_brokers.http import HttpAnswer, Transport
from algo_brokers.login import Credentials, Login
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.port import Broker, Feed, FeedListener, ReadInstruments
from algo_brokers.records import Change, NewOrder, OrderRef
from algo_brokers.session import Session

ENDPOINTS: Final = Endpoints(
    rest="https://api-t1.fyers.in",
    auth="https://api-t1.fyers.in",
    login="https://api-t1.fyers.in",
    files="https://public.fyers.in",
    market_socket="wss://socket.fyers.in/hsm/v1-5/prod",
    order_socket="wss://socket.fyers.in/trade/v3",
)

simulated = simulated_endpoints


def create_public_list(transport: TransportTo, endpoints: Endpoints, now: Callable[[], int]) -> ReadInstruments:
    """The list of the day, from a public host, for whoever needs no account."""
    files = transport(endpoints.files)
    nobody = SessionCalls(current=lambda: None, session_over=lambda: None)
    return create_price_reads(create_read_call(files, nobody), files, now, Directory()).instruments


def create_broker(parts: AdapterParts) -> Broker:
    """The adapter of one account."""
    sessions = SessionCalls(current=parts.current, session_over=parts.session_over)
    write_call = create_write_call(parts.write, sessions, write_outcome)
    read_call = create_read_call(parts.transport(parts.endpoints.rest), sessions)
    files = parts.transport(parts.endpoints.files)
    directory = Directory()
    account = create_account_reads(read_call)
    prices = create_price_reads(read_call, files, parts.now, directory)

    async def place(*, order: NewOrder) -> WriteOutcome:
        return await write_call(lambda held: requests.place(held, order))

    async def modify(*, change: Change) -> WriteOutcome:
        return await write_call(lambda held: requests.modify(held, change))

    async def cancel(*, order: OrderRef) -> WriteOutcome:
        return await write_call(lambda held: requests.cancel(held, order.broker_order_id))

    async def read_book(*, begun_at: int) -> tuple[OrderRow, ...]:
        return await read_call(requests.book, _rows(begun_at))

    async def read_order(*, broker_order_id: str, begun_at: int) -> tuple[OrderRow, ...]:
        rows = await read_call(lambda held: requests.one_order(held, broker_order_id), _rows(begun_at))
        return tuple(row for row in rows if row.broker_order_id == broker_order_id)

    async def read_by_tag(*, tag: str, begun_at: int) -> tuple[OrderRow, ...]:
        rows = await read_call(lambda held: requests.by_tag(held, tag), _rows(begun_at))
        return tuple(row for row in rows if (row.tag or "").lower() == tag.lower())

    async def open_feed(*, listener: FeedListener) -> Feed:
        held = parts.current()
        if held is None:
            raise SessionRefused(NO_SESSION)
        topic_of = partial(_topic, directory, await _index_names(files))
        ear = Discreet(listener, held)
        return await feed.open_feed(held, parts.endpoints, ear, topic_of=topic_of, now=parts.now)

    return Broker(
        capability=CAPABILITY,
        windows=limits.windows(parts.orders_per_window),
        login=create_login(parts.transport, parts.endpoints),
        place=place,
        modify=modify,
        cancel=cancel,
        read_book=read_book,
        read_order=read_order,
        read_by_tag=read_by_tag,
        open_feed=open_feed,
        read_trades=account.trades,
        read_positions=account.positions,
        read_holdings=account.holdings,
        read_funds=account.funds,
        read_margin=account.margin,
        read_quotes=prices.quotes,
        read_ltp=prices.ltp,
        read_candles=prices.candles,
        read_instruments=prices.instruments,
        triggers=create_triggers(write_call, read_call),
    )


def create_login(transport: TransportTo, endpoints: Endpoints) -> Login:
    """Login by the broker's page, or with a token that the trader made there; a session cannot be renewed."""
    send = transport(endpoints.auth)
    rest = transport(endpoints.rest)

    async def begin(*, credentials: Credentials, state: str) -> str:
        return session.login_url(
            app_id=credentials.api_key, redirect_uri=credentials.redirect_uri, state=state, base=endpoints.login
        )

    async def finish(*, credentials: Credentials, callback: Mapping[str, str], now: int) -> Session:
        code = session.auth_code(callback)
        request = session.token_request(app_id=credentials.api_key, secret=credentials.api_secret, code=code)
        app_hash = session.app_id_hash(credentials.api_key, credentials.api_secret)
        with without(*credentials.secrets(), code, app_hash):
            body = read_body(await answered(send, request))
            return session.session_of(body, client_id=credentials.client_id, app_id=credentials.api_key, now=now)

    async def direct(*, credentials: Credentials, now: int) -> Session:
        with without(*credentials.secrets()):
            made = session.session_of_token(
                credentials.access_token, client_id=credentials.client_id, app_id=credentials.api_key, now=now
            )
            owner = responses.owner(read_body(await answered(rest, requests.profile(made))))
            return session.checked_owner(made, owner)

    async def end(*, session: Session) -> None:
        with without(session.access_token, session.api_key, session.feed_token):
            read_body(await answered(rest, _logout(session)))

    return Login(
        broker=session.BROKER,
        redirect_needs=("api_key", "api_secret", "redirect_uri"),
        direct_needs=(("api_key", "access_token"),),
        begin=begin,
        finish=finish,
        direct=direct,
        end=end,
        lives="a session ends early on the next morning, as its token says; log in each trading day",
    )


_logout = session.logout_request


def _rows(begun_at: int) -> Callable[[HttpAnswer], tuple[OrderRow, ...]]:
    return lambda answer: responses.order_rows(read_body(answer), read_at=begun_at)


async def _index_names(files: Transport) -> Mapping[str, str]:
    """The exchange's names of indices; without the file the main ones are known all the same."""
    try:
        answer = await answered(files, topics.INDEX_FILE)
        return topics.index_names(answer.body) if answer.status == 200 else {}
    except BrokerError:
        return {}


def _topic(directory: Directory, names: Mapping[str, str], token: int) -> str:
    listed = directory.of_token(token)
    if listed is not None and listed.kind == "INDEX":
        return topics.index_topic(token, listed.broker_symbol, names)
    return topics.price_topic(token)
