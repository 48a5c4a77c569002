"""Wires the process: one registry of worlds, the control port and one port a broker."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from algo_simulator.angelone.app import create_angelone_app
from algo_simulator.control import create_control_app
from algo_simulator.dhan.app import create_dhan_app
from algo_simulator.fyers.app import create_fyers_app
from algo_simulator.settings import Settings
from algo_simulator.worlds import Worlds
from algo_simulator.zerodha.app import create_zerodha_app

SHUTDOWN_S: Final = 1.0
FRONTS: Final[dict[str, Callable[[Worlds], web.Application]]] = {
    "zerodha": create_zerodha_app,
    "dhan": create_dhan_app,
    "fyers": create_fyers_app,
    "angelone": create_angelone_app,
}
"""The front end of each broker; `settings.DEFAULT_PORTS` says where it listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The running servers and where they listen."""

    worlds: Worlds
    control_port: int
    ports: dict[str, int]
    """By broker."""
    runners: tuple[web.AppRunner, ...]

    @property
    def zerodha_port(self) -> int:
        """Where Zerodha is served."""
        return self.ports["zerodha"]

    async def stop(self) -> None:
        """End every world and close the ports."""
        for clock in self.worlds.all():
            await self.worlds.delete(clock.world.name)
        for runner in self.runners:
            await runner.cleanup()


async def start_servers(settings: Settings) -> Servers:
    """Open the ports; port 0 takes a free one.

    Raises:
        OSError: a port is taken.
    """
    worlds = Worlds(settings.max_worlds)
    fronts = {name: make(worlds) for name, make in FRONTS.items() if name in settings.ports}
    control = create_control_app(worlds, settings.token, settings.max_upload)
    runners: list[web.AppRunner] = []

    async def listen(app: web.Application, port: int) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, settings.host, port).start()
        return int(runner.addresses[0][1])

    try:
        control_port = await listen(control, settings.control_port)
        ports = {name: await listen(app, settings.ports[name]) for name, app in fronts.items()}
    except OSError:
        for runner in runners:
            await runner.cleanup()
        raise
    return Servers(worlds=worlds, control_port=control_port, ports=ports, runners=tuple(runners))
