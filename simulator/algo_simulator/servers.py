"""Wires the process: one registry of worlds, the control port and one port a broker."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from algo_simulator.control import create_control_app
from algo_simulator.settings import Settings
from algo_simulator.worlds import Worlds
from algo_simulator.zerodha.app import SOCKETS, create_zerodha_app

SHUTDOWN_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The running servers and where they listen."""

    worlds: Worlds
    control_port: int
    zerodha_port: int
    runners: tuple[web.AppRunner, ...]

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
    zerodha = create_zerodha_app(worlds)
    control = create_control_app(worlds, settings.token, settings.max_upload, zerodha[SOCKETS].disconnect)
    runners: list[web.AppRunner] = []
    ports: list[int] = []
    for app, port in ((control, settings.control_port), (zerodha, settings.zerodha_port)):
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        await web.TCPSite(runner, settings.host, port).start()
        runners.append(runner)
        ports.append(int(runner.addresses[0][1]))
    return Servers(worlds=worlds, control_port=ports[0], zerodha_port=ports[1], runners=tuple(runners))
