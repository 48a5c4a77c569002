"""The write lease: who may write the strategy's keys in Redis, and since when we are no longer sure.

Renewed every 2 s for 15 s; after 10 s without a renewal the runner fences itself: it journals nothing and enters
nothing, but goes on protecting and exiting (wall time).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from algo_crds.contracts import keys
from algo_crds.contracts.constants import ShellConstants

from algo_runner.fence import Fence, FencedError
from algo_runner.redis_link import RedisAwayError, RedisRefusedError

log: Final = logging.getLogger("algo_runner.lease")


class Lease:
    """Keeps the lease and tells `on_change(writable, reason)` whenever the answer changes."""

    def __init__(
        self,
        fence: Fence,
        *,
        strategy_id: str,
        constants: ShellConstants,
        on_change: Callable[[bool, str], None],
    ) -> None:
        self._fence = fence
        self._key = keys.lease(strategy_id)
        self._constants = constants
        self._on_change = on_change
        self._asked = asyncio.Event()
        self._good_until = 0.0
        self._refused = ""
        self.writable = False
        self.reason = "LeaseNotYetHeld"

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            self._asked.clear()
            await self._renew()
            try:
                async with asyncio.timeout(self._constants.lease_renew_ms / 1000):
                    await self._asked.wait()
            except TimeoutError:
                continue

    def redis_changed(self, connected: bool) -> None:
        """Redis came back (renew at once) or went away (no entry can be journaled: say so at once)."""
        if connected:
            self._asked.set()
        else:
            self._tell(False, "RedisAway")

    async def release(self) -> None:
        """Give the lease up at a clean end; an older or absent one is no error."""
        try:
            await self._fence.write([("DEL", self._key)])
        except (FencedError, RedisAwayError, RedisRefusedError) as error:
            log.info("lease not released: %s", error)

    async def _renew(self) -> None:
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        command = ("SET", self._key, self._fence.epoch, "PX", self._constants.lease_ms)
        try:
            async with asyncio.timeout(self._constants.lease_renew_ms / 1000):
                await self._fence.write([command])
        except FencedError as error:
            log.error("another runner owns the keys: %s", error)
            self._good_until = 0.0
            self._tell(False, "Fenced")
        except (RedisAwayError, RedisRefusedError, TimeoutError) as error:
            if loop.time() >= self._good_until:
                self._tell(False, "LeaseNotRenewed" if not isinstance(error, RedisAwayError) else "RedisAway")
        else:
            self._good_until = asked_at + self._constants.self_fence_ms / 1000
            self._tell(True, "")

    def _tell(self, writable: bool, reason: str) -> None:
        if writable == self.writable and (writable or self.reason == reason):
            return
        self.writable, self.reason = writable, reason
        self._on_change(writable, reason)
