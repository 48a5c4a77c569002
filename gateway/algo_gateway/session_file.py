"""The session Secret as a file: read at start and again whenever it changes, without a restart.

Kubernetes replaces a mounted Secret by switching a symbolic link, so the file is opened anew at every look.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from algo_brokers.errors import BadAnswer
from algo_brokers.session import Session, parse_session

log: Final = logging.getLogger("algo_gateway.session")
LOOK_S: Final = 0.5


def load(path: Path) -> Session | None:
    """The session in the file; None if there is none or it cannot be read."""
    try:
        return parse_session(path.read_bytes())
    except FileNotFoundError:
        return None
    except (BadAnswer, OSError) as error:
        log.error("session file: %s", error)
        return None


class SessionHolder:
    """The session in force. `current` is what adapters ask for at every call."""

    def __init__(self, path: Path, now: Callable[[], int]) -> None:
        self._path = path
        self._now = now
        self._session = load(path)

    def current(self) -> Session | None:
        """The session, unless it is over."""
        session = self._session
        if session is not None and self._now() and session.valid_until <= self._now():
            return None
        return session

    def refused(self) -> None:
        """The broker said that this session is over."""
        self._session = None

    async def watch(self, changed: Callable[[], None]) -> None:
        """Look at the file for changes, and at the clock for the session's end, until cancelled."""
        before, present = load(self._path), self.current() is not None
        while True:
            await asyncio.sleep(LOOK_S)
            loaded = load(self._path)
            if loaded != before:
                before, self._session = loaded, loaded
                log.info("session: %s", loaded if loaded is not None else "none")
                present = self.current() is not None
                changed()
            elif present != (self.current() is not None):
                present = not present
                changed()
