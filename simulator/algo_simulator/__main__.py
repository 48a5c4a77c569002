"""`python -m algo_simulator`: serve until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys

import uvloop

from algo_simulator.servers import start_servers
from algo_simulator.settings import Settings, SettingsError, read_settings

LOG = logging.getLogger("algo_simulator")


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    servers = await start_servers(settings)
    fronts = ", ".join(f"{broker} on port {port}" for broker, port in servers.ports.items())
    LOG.info("control on port %s, %s", servers.control_port, fronts)
    await stop.wait()
    await servers.stop()


def main() -> int:
    """Run the process; 2 when the settings cannot be read."""
    logging.basicConfig(
        level=os.environ.get("LOG_LEVEL", "INFO"), format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        LOG.error("%s", error)
        return 2
    uvloop.run(_serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
