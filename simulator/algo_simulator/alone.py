"""One simulated broker by itself: `python -m algo_simulator.alone --broker dhan --port 9011 --ticks FOLDER`.

One world with one account, its market running at a speed of its own, for whoever wants to try a client against a
broker's protocol without anything else of this platform. `start_alone` is the library's entry to the same.
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec
from algo_crds.contracts.clock import IST
from algo_market.instruments import UnknownInstrumentError, instrument_on, instruments_on
from algo_market.readers import BadRecordingError, Recording, read_recording
from algo_market.row_parsers import BadRowError
from algo_market.sessions import SessionUnknownError, class_of, previous_session_day, session_for

from algo_simulator.accounts import AccountSpec, Holding
from algo_simulator.first_login import Session, first_login
from algo_simulator.servers import FRONTS, Servers, start_servers
from algo_simulator.settings import DEFAULT_PORTS, Settings
from algo_simulator.world import WorldError, WorldSpec

WORLD: Final = "alone"
EARLY_S: Final = 2
"""How long before its session the market begins."""
MAX_SPEED: Final = 10_000.0
MAX_PORT: Final = 65_535
_SECRET: Final = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # noqa: S105 - of an account that lives as long as the process
_BASE: Final = AccountSpec(
    broker="",
    client_id="SM0001",
    api_key="simkey0001",
    api_secret="simsecret99",  # noqa: S106 - as above
    redirect_url="http://127.0.0.1/callback",
    pin="1234",
    totp_secret=_SECRET,
)
_CLIENTS: Final[dict[str, dict[str, str]]] = {
    "zerodha": {},
    "dhan": {"client_id": "1000000003", "pin": "123456"},
    "fyers": {"client_id": "XS00001", "api_key": "SIMAPP0001-100"},
    "angelone": {"client_id": "S000123", "api_secret": ""},
}
"""What differs in a broker's kind of account."""
HINTS: Final = {
    "zerodha": "open {root}/connect/login?v=3&api_key={key}: the address it leads to carries the request_token;"
    " socket at {socket}",
    "dhan": "REST at {root}/v2, login by PIN and code at {root}/auth, sockets at {socket}/market-socket"
    " and {socket}/order-socket",
    "fyers": "login page and REST under {root}/api/v3, sockets at {socket}/market-socket and {socket}/order-socket",
    "angelone": "log in with client id, PIN and code at {root}; sockets at {socket}/market-socket"
    " and {socket}/order-socket",
}


class AloneSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate."""

    broker: str
    port: int | None = None
    """None: the broker's usual one; 0: a free one."""
    symbols: tuple[str, ...] = ("NSE:RELIANCE",)
    """`EXCHANGE:SYMBOL`; without an exchange NSE is meant."""
    ticks: Path | None = None
    """A recording, or a folder of them named by symbol; None: a session made from the seed."""
    day: date | None = None
    """None: the recording's, or the newest trading day."""
    speed: float = 1.0
    """Session seconds a second."""
    seed: int = 1
    host: str = "127.0.0.1"
    control_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A running simulated broker."""

    servers: Servers
    account: AccountSpec
    session: Session
    """Of a login that was done already, so that a client can begin with its tokens."""
    day: date
    root: str
    """Where it listens."""
    control: str
    """Where its control API listens."""
    control_token: str

    async def stop(self) -> None:
        """Close it."""
        await self.servers.stop()


async def start_alone(spec: AloneSpec) -> Alone:
    """Start the servers and let the market run.

    Raises:
        WorldError: broker, port, symbol, day, speed or recording cannot be used; the message says why.
        OSError: a port is taken, or not allowed to this user.
    """
    if spec.broker not in FRONTS:
        raise WorldError(f"no simulated broker {spec.broker!r}; there are {', '.join(FRONTS)}")
    if not 0 < spec.speed <= MAX_SPEED:
        raise WorldError(f"speed must be above 0 and at most {MAX_SPEED:g} session seconds a second")
    port = DEFAULT_PORTS[spec.broker] if spec.port is None else spec.port
    if not all(0 <= number <= MAX_PORT for number in (port, spec.control_port)):
        raise WorldError(f"port {port}: it is a number from 1 to {MAX_PORT}, or 0 for a free one")
    keys = tuple(symbol if ":" in symbol else f"NSE:{symbol}" for symbol in spec.symbols)
    recordings = _recordings(spec, keys)
    day = spec.day or next((recording.day for recording in recordings.values()), None) or _newest_day()
    world = WorldSpec(
        name=WORLD, date=day, symbols=keys, speed=spec.speed, seed=spec.seed, start_time=_start(keys, day)
    )
    account = msgspec.structs.replace(
        _BASE,
        broker=spec.broker,
        holdings=tuple(Holding(symbol=key, quantity=100, average_price="100") for key in keys if _share(key, day)),
        **_CLIENTS[spec.broker],
    )
    token = secrets.token_urlsafe(16)
    settings = Settings(token=token, host=spec.host, control_port=spec.control_port, ports={spec.broker: port})
    servers = await start_servers(settings)
    root = f"http://{spec.host}:{servers.ports[spec.broker]}"
    try:
        clock = servers.worlds.create(world)
        for key, recording in recordings.items():
            servers.worlds.upload(WORLD, key, recording, 0)
        servers.worlds.add_account(WORLD, account)
        clock.start()
        session = await first_login(root, account)
    except BaseException:
        await servers.stop()
        raise
    return Alone(
        servers=servers,
        account=account,
        session=session,
        day=day,
        root=root,
        control=f"http://{spec.host}:{servers.control_port}",
        control_token=token,
    )


def introduction(alone: Alone, spec: AloneSpec) -> str:
    """What a person needs to know to use it: address, market, keys, how to log in."""
    account = alone.account
    market = f"the recording {spec.ticks}" if spec.ticks else "made up (--ticks replays a recording)"
    hint = HINTS[account.broker].format(
        root=alone.root, socket=alone.root.replace("http", "ws", 1), key=account.api_key
    )
    rows = {
        "broker": f"{account.broker}, simulated, the session of {alone.day}; Ctrl-C stops it",
        "address": f"{alone.root} (give your client this one for the broker's)",
        "market": f"{market}, {spec.speed:g} session seconds a second",
        "client id": account.client_id,
        "app key": account.api_key,
        "app secret": account.api_secret or "(none)",
        "PIN": account.pin,
        "TOTP secret": account.totp_secret,
        "access token": alone.session.access_token,
        "feed token": alone.session.feed_token,
        "log in": f"you are already, by the token above; again: {hint}",
        "faults": f"curl -X PATCH -H 'Authorization: Bearer {alone.control_token}'"
        f""" {alone.control}/worlds/{WORLD}/faults -d '{{"disconnect": true}}'""",
    }
    return "\n".join(f"{name:12} {text}" for name, text in rows.items() if text)


def _recordings(spec: AloneSpec, keys: Sequence[str]) -> dict[str, Recording]:
    if spec.ticks is None:
        return {}
    if spec.ticks.is_file() and len(keys) > 1:
        raise WorldError(f"{spec.ticks} is one file; several symbols need a folder")
    try:
        found = {key: read_recording(spec.ticks, key.partition(":")[2]) for key in keys}
    except (BadRecordingError, BadRowError, OSError) as error:
        raise WorldError(str(error)) from error
    for key, recording in found.items():
        named = recording.name.partition(".")[0]
        if named != key.partition(":")[2] and any(one.symbol == named for one in instruments_on(recording.day)):
            raise WorldError(f"{spec.ticks} holds the prices of {named}, not of {key}; say --symbol {named}")
    return found


def _share(key: str, day: date) -> bool:
    exchange, _, symbol = key.partition(":")
    return instrument_on(exchange, symbol, day).kind == "EQ"


def _newest_day() -> date:
    today = datetime.now(IST).date()
    index = class_of(instrument_on("NSE", "NIFTY", today))
    day = today if session_for("NSE", index, today) is not None else previous_session_day(today)
    if day is None:
        raise WorldError("no trading day is known; name one with --date")
    return day


def _start(keys: Sequence[str], day: date) -> str:
    """Just before the earliest session of the symbols, `HH:MM:SS`."""
    opens = []
    try:
        for key in keys:
            exchange, _, symbol = key.partition(":")
            session = session_for(exchange, class_of(instrument_on(exchange, symbol, day)), day)
            if session is None:
                raise WorldError(f"{day} is no trading day of {key}; choose another with --date")
            opens.append(session.open)
    except (UnknownInstrumentError, SessionUnknownError) as error:
        raise WorldError(str(error)) from error
    return f"{datetime.fromtimestamp(min(opens) / 1000 - EARLY_S, IST):%H:%M:%S}"


async def _serve(spec: AloneSpec) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    alone = await start_alone(spec)
    _say(introduction(alone, spec))
    clock = alone.servers.worlds.get(WORLD)
    while clock.world.state != "ended" and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)
    if not stop.is_set():
        _say("the session is over; its books can be read until Ctrl-C")
    await stop.wait()
    await alone.stop()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _arguments(argv: Sequence[str]) -> AloneSpec:
    parser = argparse.ArgumentParser(prog="algo_simulator.alone", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--broker", required=True, choices=tuple(FRONTS))
    parser.add_argument("--port", type=int, help="default: the broker's usual one; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--ticks", type=Path, help="a recording or a folder of them; default: a made-up session")
    parser.add_argument("--symbol", action="append", help="EXCHANGE:SYMBOL, repeatable; default NSE:RELIANCE")
    parser.add_argument("--date", type=date.fromisoformat, help="YYYY-MM-DD; default: the recording's or the newest")
    parser.add_argument("--speed", type=float, default=1.0, help="session seconds a second")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    return AloneSpec(
        broker=given.broker,
        port=given.port,
        host=given.host,
        ticks=given.ticks,
        symbols=tuple(given.symbol or AloneSpec(broker="").symbols),
        day=given.date,
        speed=given.speed,
        seed=given.seed,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; 2 when something that was asked for cannot be."""
    spec = _arguments(sys.argv[1:] if argv is None else argv)
    try:
        asyncio.run(_serve(spec))
    except WorldError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        number = error.errno or 0  # below zero it is no error of the system but of a name that is none
        reason = os.strerror(number) if number > 0 else error.strerror
        port = DEFAULT_PORTS[spec.broker] if spec.port is None else spec.port
        sys.stderr.write(f"cannot listen on {spec.host}:{port}: {reason}; choose another --port (0: a free one)\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
