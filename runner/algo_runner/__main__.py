"""`python -m algo_runner`: one strategy, until SIGTERM."""

import asyncio
import logging
import os
import sys

import uvloop

from algo_runner.process import Runner
from algo_runner.settings import Settings, SettingsError, Token, load, read_token


async def _run(settings: Settings, token: Token) -> int:
    return await Runner(settings, token).run()


def main() -> int:
    """Read the configuration, run, and give the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("picows").setLevel(logging.WARNING)
    try:
        settings = load(os.environ)
        token = read_token(settings.token_file, settings.strategy_id)
    except SettingsError as error:
        logging.getLogger("algo_runner").critical("%s", error)
        return 2
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(settings, token))


if __name__ == "__main__":
    sys.exit(main())
