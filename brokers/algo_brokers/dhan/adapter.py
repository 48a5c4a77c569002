"""The thin shell: sends what the builders make and hands answers to the parsers. No write is ever repeated."""

from collections.abc import Mapping
from typing import Final

from algo_brokers.adapter_parts import AdapterParts, TransportTo
from algo_brokers.calls import NO_SESSION, SessionCalls, answered, create_read_call, create_write_call, without
from algo_brokers.dhan import limits, session
from algo_brokers.dhan.answers import good, write_outcome
from algo_brokers.dhan.capability import CAPABILITY
from algo_brokers.dhan.feed import SocketParts, open_sockets
from algo_brokers.dhan.lasting import create_triggers
from algo_brokers.dhan.names import Words
from algo_brokers.dhan.orders import create_orders
from algo_brokers.dhan.reads import create_reads
from algo_brokers.dhan.reconnect import Reconnects
from algo_brokers.discreet import Discreet
from algo_brokers.endpoints import Endpoints, simulated_endpoints
from algo_brokers.errors import SessionRefused
from algo_brokers.http import HttpAnswer
from algo_brokers.login import Credentials, Login
from algo_brokers.port import Broker, Feed, FeedListener
from algo_brokers.session import Session
from algo_brokers.totp import totp_code

ENDPOINTS: Final = Endpoints(
    rest="https://api.dhan.co",
    auth="https://auth.dhan.co",
    login="https://auth.dhan.co",
    files="https://images.dhan.co",
    market_socket="wss://api-feed.dhan.co",
    order_socket="wss://api-order-update.dhan.co",
)
"""Never the sandbox: its ids are others and its orders never fill."""

simulated = simulated_endpoints


def create_broker(parts: AdapterParts) -> Broker:
    """The adapter of one account."""
    sessions = SessionCalls(current=parts.current, session_over=parts.session_over)
    write_call = create_write_call(parts.write, sessions, write_outcome)
    read_call = create_read_call(parts.transport(parts.endpoints.rest), sessions)
    words = Words()
    orders = create_orders(write_call, read_call, words)
    reads = create_reads(read_call, parts.transport(parts.endpoints.files), words)
    sockets = SocketParts(
        endpoints=parts.endpoints,
        words=words,
        now=parts.now,
        session_over=parts.session_over,
        reconnects=Reconnects(),
    )

    async def open_feed(*, listener: FeedListener) -> Feed:
        held = parts.current()
        if held is None:
            raise SessionRefused(NO_SESSION)
        return await open_sockets(sockets, held, Discreet(listener, held))

    return Broker(
        capability=CAPABILITY,
        windows=limits.windows(parts.orders_per_window),
        login=create_login(parts.transport, parts.endpoints),
        place=orders.place,
        modify=orders.modify,
        cancel=orders.cancel,
        read_book=orders.read_book,
        read_order=orders.read_order,
        read_by_tag=orders.read_by_tag,
        open_feed=open_feed,
        read_trades=reads.trades,
        read_positions=reads.positions,
        read_holdings=reads.holdings,
        read_funds=reads.funds,
        read_margin=reads.margin,
        read_quotes=reads.quotes,
        read_ltp=reads.ltp,
        read_candles=reads.candles,
        read_instruments=reads.instruments,
        triggers=create_triggers(write_call, read_call, words),
    )


def create_login(transport: TransportTo, endpoints: Endpoints) -> Login:
    """The ways in; Dhan has no call that ends a session."""
    send_auth, send_rest = transport(endpoints.auth), transport(endpoints.rest)

    async def begin(*, credentials: Credentials, state: str) -> str:  # noqa: ARG001 - Dhan has no place for it
        with without(*credentials.secrets()):
            return session.login_url(
                await answered(send_auth, session.consent_request(credentials)), base=endpoints.login
            )

    async def finish(*, credentials: Credentials, callback: Mapping[str, str], now: int) -> Session:
        token = session.token_id(callback)
        with without(*credentials.secrets(), token):
            answer = await answered(send_auth, session.consume_request(credentials, token))
            return session.session_of(answer, client_id=credentials.client_id, api_key=credentials.api_key, now=now)

    async def direct(*, credentials: Credentials, now: int) -> Session:
        with without(*credentials.secrets()):
            if credentials.access_token:
                request = session.profile_request(credentials.access_token, credentials.client_id)
                return session.pasted_session(await answered(send_rest, request), credentials=credentials, now=now)
            code = totp_code(credentials.totp_secret, now)
            with without(code):
                answer = await answered(send_auth, session.totp_request(credentials, code))
                return session.session_of(answer, client_id=credentials.client_id, api_key="", now=now)

    async def renew(*, credentials: Credentials, session: Session, now: int) -> Session:
        with without(*credentials.secrets(), session.access_token):
            return _renewed(await answered(send_rest, _renewal(session)), session, now)

    return Login(
        broker="dhan",
        redirect_needs=("api_key", "api_secret"),
        direct_needs=(("pin", "totp_secret"), ("access_token",)),
        state_in_redirect=False,
        begin=begin,
        finish=finish,
        direct=direct,
        renew=renew,
        lives=session.LIVES,
    )


_renewal = session.renew_request


def _renewed(answer: HttpAnswer, old: Session, now: int) -> Session:
    good(answer)  # this call answers as the other REST calls do, not as the login host does
    return session.session_of(answer, client_id=old.client_id, api_key=old.api_key, now=now)
