"""Login, session, and what a dead one means."""

import msgspec
import pytest
from algo_brokers.errors import BrokerError, SessionRefused
from algo_brokers.outcomes import Rejected
from algo_brokers.session import encode_session, parse_session, state_of
from algo_crds.contracts.orders import RejectKind
from case import case
from desk import Desk, wall_ms

HOUR = 3_600_000


@case("BC-001", "a login gives a session of the account's own client, for some hours", logged_in=False)
async def login(desk: Desk) -> None:
    session = await desk.log_in()
    assert (session.broker, session.client_id) == (desk.name, desk.credentials.client_id)
    # A simulated broker counts by the market it replays; a session that is read from its token may say so.
    assert desk.now() < session.valid_until <= session.login_time + 30 * HOUR
    state = state_of(session, now=desk.now(), lives=desk.login.lives)
    assert state.valid
    assert state.renewal


@case("BC-002", "a session survives being written to the account's Secret", logged_in=False)
async def session_file(desk: Desk) -> None:
    session = await desk.log_in()
    assert parse_session(encode_session(session)) == session


@case("BC-003", "a login with a wrong secret is refused, and its text shows none", logged_in=False)
async def wrong_secret(desk: Desk) -> None:
    wrong = {"api_secret": "canarywrong", "pin": "9999"}
    desk.credentials = msgspec.structs.replace(desk.credentials, **wrong)
    with pytest.raises(BrokerError) as caught:
        await desk.log_in()
    assert "canary" not in f"{caught.value!r} {caught.value}"


@case("BC-004", "without a session nothing is sent", logged_in=False)
async def no_session(desk: Desk) -> None:
    with pytest.raises(SessionRefused):
        await desk.broker.read_book(begun_at=0)


@case("BC-005", "a dead session is noticed by a read, and told once for all to hear")
async def dead_read(desk: Desk) -> None:
    await desk.fault(expire_token=True)
    with pytest.raises(SessionRefused) as caught:
        await desk.broker.read_positions()
    assert "canary" not in str(caught.value)
    assert desk.session_overs == 1


@case("BC-006", "a dead session is noticed by an order: refused for certain, not unknown")
async def dead_write(desk: Desk) -> None:
    await desk.to("09:16:00")
    await desk.ref()
    await desk.fault(expire_token=True)
    _, outcome = await desk.place()
    assert isinstance(outcome, Rejected), outcome
    assert outcome.kind is RejectKind.SESSION
    assert desk.session_overs == 1


@case("BC-007", "logout ends the session", exempt={"dhan": "has no logout; the token is forgotten"})
async def logout(desk: Desk) -> None:
    assert desk.session is not None
    assert desk.login.end is not None
    await desk.login.end(session=desk.session)
    with pytest.raises(SessionRefused):
        await desk.broker.read_positions()


@case(
    "BC-008",
    "a session is renewed without a new login",
    exempt={
        "zerodha": "sessions cannot be renewed",
        "fyers": "renewal ended on 1 April 2026",
        "dhan": "only a token made on its web page is renewed",
    },
)
async def renewed(desk: Desk) -> None:
    assert desk.session is not None
    if desk.login.renew is None:
        pytest.fail("the adapter has no renewal and no exemption")
    desk.session = await desk.login.renew(credentials=desk.credentials, session=desk.session, now=wall_ms())
    await desk.broker.read_positions()


@case(
    "BC-009",
    "a login by PIN and one-time code, without a page",
    exempt={"zerodha": "has its page only", "fyers": "has its page only"},
    logged_in=False,
)
async def direct(desk: Desk) -> None:
    session = await desk.log_in_directly()
    assert (session.broker, session.client_id) == (desk.name, desk.credentials.client_id)
    await desk.broker.read_positions()
