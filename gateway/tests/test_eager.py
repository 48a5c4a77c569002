"""Work that is begun at once: everything up to its first wait is done on return, the rest is a task like any other."""

import asyncio

import pytest
from algo_gateway.eager import begin


async def test_everything_before_the_first_wait_is_done_at_once() -> None:
    seen: list[str] = []
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def inner() -> str:
        seen.append("begun")
        return await gate

    async def work() -> None:
        seen.append(await inner())
        await asyncio.sleep(0)
        async with asyncio.timeout(None):  # after its first wait it has a task of its own
            await asyncio.sleep(0.001)
        seen.append("ended")

    task = begin(work())
    assert seen == ["begun"]
    assert task is not None
    gate.set_result("answer")
    await task
    assert seen == ["begun", "answer", "ended"]


async def test_an_answer_that_is_there_before_the_task_runs() -> None:
    gate: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    got: list[int] = []

    async def work() -> None:
        got.append(await gate)

    task = begin(work())
    gate.set_result(7)
    assert task is not None
    await task
    assert got == [7]


async def test_work_that_never_waits_needs_no_task() -> None:
    seen: list[int] = []

    async def work() -> None:
        seen.append(1)

    assert begin(work()) is None
    assert seen == [1]


async def test_failures_reach_whoever_looks() -> None:
    gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def at_once() -> None:
        raise ValueError("at once")

    async def later() -> None:
        await gate

    with pytest.raises(ValueError, match="at once"):
        begin(at_once())
    task = begin(later())
    assert task is not None
    gate.set_exception(ValueError("later"))
    with pytest.raises(ValueError, match="later"):
        await task


async def test_a_cancellation_reaches_the_work() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            await asyncio.sleep(0)
            seen.append("tidied")
            raise

    task = begin(work())
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled", "tidied"]
