"""The queue: no key twice at once, new before resync, back-off after failure. Time is not slept."""

import asyncio
import contextlib
import itertools

import pytest
from algo_operator.vocabulary import STRATEGY, Key
from algo_operator.workqueue import Done, Priority, WorkQueue


def key(name: str) -> Key:
    return Key(STRATEGY, "ns", name)


async def drain(queue: WorkQueue, seen: list[str], until: int, workers: int = 1) -> None:
    done = asyncio.Event()

    async def reconcile(one: Key) -> Done:
        seen.append(one.name)
        if len(seen) >= until:
            done.set()
        return Done()

    task = asyncio.create_task(queue.run(reconcile, workers))
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_key_waits_once_however_often_it_is_added() -> None:
    queue, seen = WorkQueue(), list[str]()
    for _ in range(5):
        queue.add(key("a"))
    queue.add(key("b"))
    assert len(queue) == 2
    await drain(queue, seen, 2)
    assert seen == ["a", "b"]


async def test_what_is_new_goes_before_a_resync() -> None:
    queue, seen = WorkQueue(), list[str]()
    for name in "xyz":
        queue.add(key(name), Priority.RESYNC)
    queue.add(key("new"))
    queue.add(key("z"))  # raised from resync to changed
    await drain(queue, seen, 4)
    assert seen == ["new", "z", "x", "y"]


async def test_a_key_added_while_it_is_worked_on_runs_once_more_and_never_beside_itself() -> None:
    queue, running, most, passes = WorkQueue(), 0, 0, 0
    done = asyncio.Event()

    async def reconcile(one: Key) -> Done:
        nonlocal running, most, passes
        running += 1
        most = max(most, running)
        if passes == 0:
            queue.add(one)
            queue.add(one)
        await asyncio.sleep(0)
        running -= 1
        passes += 1
        if passes == 2:
            done.set()
        return Done()

    queue.add(key("a"))
    task = asyncio.create_task(queue.run(reconcile, 4))
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    assert (passes, most) == (2, 1)


@pytest.mark.looptime
async def test_a_failing_key_comes_back_after_growing_pauses() -> None:
    queue, times = WorkQueue(), list[float]()
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    async def reconcile(_: Key) -> Done:
        times.append(loop.time())
        if len(times) == 6:
            done.set()
            return Done()
        raise RuntimeError("not yet")

    queue.add(key("a"))
    task = asyncio.create_task(queue.run(reconcile, 1))
    await done.wait()
    await asyncio.sleep(1)
    assert queue.failing == 0
    task.cancel()
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    for number, pause in enumerate(pauses):
        assert 0.25 * 2**number <= pause <= 0.5 * 2**number + 0.01


@pytest.mark.looptime
async def test_look_again_and_the_earliest_request_stands() -> None:
    queue, times = WorkQueue(), list[float]()
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    async def reconcile(_: Key) -> Done:
        times.append(loop.time())
        if len(times) == 2:
            done.set()
        return Done(again=30.0 if len(times) == 1 else None)

    queue.add(key("a"))
    task = asyncio.create_task(queue.run(reconcile, 1))
    await asyncio.sleep(1)
    queue.add_later(key("a"), 2.0)
    queue.add_later(key("a"), 20.0)
    await done.wait()
    task.cancel()
    assert times[1] - times[0] == pytest.approx(3.0, abs=0.1)
