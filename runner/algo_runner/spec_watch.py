"""The wishes of people: the spec that the operator writes, and the commands that the API adds to a stream.

Read at the start, on a notice, and every 5 s (notices of pub/sub may be lost). A spec that is absent says that Redis
was emptied, not that the strategy is gone: the last one known stays in force.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import RuntimeSpec, decode_spec

from algo_runner.engine.events import Command, CommandKind
from algo_runner.events_out import OWN_NOTE
from algo_runner.fence import Call
from algo_runner.redis_link import RedisAwayError, RedisRefusedError

log: Final = logging.getLogger("algo_runner.spec")
POLL_S: Final = 5.0


class SpecWatch:
    """Follows `strategy:{id}:spec` and `strategy:{id}:commands`."""

    def __init__(
        self,
        call: Call,
        *,
        strategy_id: str,
        on_spec: Callable[[RuntimeSpec], None],
        on_command: Callable[[Command], None],
    ) -> None:
        self._call = call
        self._strategy_id = strategy_id
        self._spec_key = keys.spec(strategy_id)
        self._commands_key = keys.commands(strategy_id)
        self._on_spec = on_spec
        self._on_command = on_command
        self._asked = asyncio.Event()
        self._raw = b""
        self.commands_id = ""
        """The last command that was handed on; kept with the state. Empty until it is known which one that was: read
        from the stream's begin, every command of the past would be obeyed again after a restart."""

    def notice(self, payload: bytes) -> None:
        """A message on the notify channel."""
        if payload != OWN_NOTE:
            self._asked.set()

    def poke(self) -> None:
        """Look now."""
        self._asked.set()

    def commands_after(self, last: str) -> None:
        """From now on hand on the commands after this one."""
        self.commands_id = last
        self._asked.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._asked.clear()
            try:
                await self.look()
            except (RedisAwayError, RedisRefusedError) as error:
                log.info("spec not read: %s", error)
            try:
                async with asyncio.timeout(POLL_S):
                    await self._asked.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Read once, and hand on what is new.

        Raises:
            RedisAwayError, RedisRefusedError: nothing could be read.
        """
        raw = await self._call("GET", self._spec_key)
        if raw is not None and raw != self._raw:
            self._raw = raw
            try:
                spec = decode_spec(raw)
            except msgspec.DecodeError as error:
                log.error("%s is no spec (%s); the one before stays in force", self._spec_key, error)
            else:
                if spec.strategy_id == self._strategy_id:
                    self._on_spec(spec)
                else:
                    log.error("%s belongs to %s; the one before stays in force", self._spec_key, spec.strategy_id)
        if not self.commands_id:
            return
        reply = await self._call("XREAD", "COUNT", 100, "STREAMS", self._commands_key, self.commands_id)
        for entry_id, fields in _entries(reply):
            self.commands_id = entry_id
            command = parse_command(fields)
            if command is not None:
                self._on_command(command)


def parse_command(fields: dict[str, str]) -> Command | None:
    """A command from the fields of a stream entry (`command` or `kind`, `actor`, `tag`, `note`); None for another."""
    try:
        kind = CommandKind(fields.get("command") or fields.get("kind", ""))
    except ValueError:
        log.warning("unknown command %r", fields.get("command"))
        return None
    return Command(kind=kind, actor=fields.get("actor", ""), tag=fields.get("tag", ""), note=fields.get("note", ""))


def _entries(reply: Any) -> list[tuple[str, dict[str, str]]]:
    streams = reply.values() if isinstance(reply, dict) else ()
    return [(entry_id.decode(), fields_of(flat)) for stream in streams for entry_id, flat in stream]


def fields_of(flat: list[bytes]) -> dict[str, str]:
    """Fields of a stream entry, which come as a flat list."""
    return {flat[i].decode(errors="replace"): flat[i + 1].decode(errors="replace") for i in range(0, len(flat) - 1, 2)}
