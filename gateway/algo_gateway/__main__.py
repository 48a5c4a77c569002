"""`python -m algo_gateway`: one broker account's gateway."""

import asyncio
import logging
import os
import signal
import sys

import uvloop

from algo_gateway.bootstrap import Gateway
from algo_gateway.settings import SettingsError, read_settings


async def serve() -> None:
    """Until SIGTERM: resting stops go on protecting, so the gateway may simply go."""
    gateway = Gateway(read_settings(os.environ))
    work = asyncio.create_task(gateway.run())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        logging.getLogger("algo_gateway").info("stopped")


def main() -> int:
    """Exit status 2 when the configuration is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        uvloop.run(serve())
    except SettingsError as error:
        print(f"algo_gateway: {error}", file=sys.stderr)  # noqa: T201 - there is no log without a configuration
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
