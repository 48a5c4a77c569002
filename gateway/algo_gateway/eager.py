"""Begin a coroutine now, and make a task only of what is left when it first waits.

`asyncio.create_task` begins its work in the next turn of the event loop. An order's bytes shall not wait for a turn, so
the order's call is run up to its first wait in the callback that decided it. Python 3.12 has this as eager tasks; until
then: whatever runs before the first wait must not ask for its own task (`asyncio.timeout` does).
"""

import asyncio
import logging
import types
from collections.abc import Coroutine, Generator
from typing import Any


@types.coroutine
def _go_on(work: Coroutine[Any, Any, None], waits_for: object) -> Generator[Any, Any, None]:
    """Wait for what the work waits for, and hand it everything that the event loop says."""
    while True:
        failure: BaseException | None = None
        said: Any = None
        try:
            said = yield waits_for
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:  # a cancellation is for the work
            failure = error
        try:
            waits_for = work.send(said) if failure is None else work.throw(failure)
        except StopIteration:
            return


async def _rest(work: Coroutine[Any, Any, None], waits_for: object) -> None:
    await _go_on(work, waits_for)


def begin(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None] | None":
    """Run up to the first wait; the rest is the task returned, None if there is no rest.

    Raises:
        Exception: whatever the work raised before it first waited.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_rest(work, waits_for))


class Tasks:
    """Work under way of one owner: kept until it is done, its failures said."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin in the next turn of the event loop."""
        self._keep(asyncio.get_running_loop().create_task(work))

    def start_now(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin now."""
        try:
            task = begin(work)
        except Exception:
            self._log.exception("a task failed")
            return
        if task is not None:
            self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.error("a task failed", exc_info=task.exception())
