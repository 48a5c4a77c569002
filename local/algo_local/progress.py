"""Steps of a long command on the screen: live with a clock on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Report = Callable[[str], None]


def _plain(console: Console, name: str) -> Iterator[Report]:
    began = time.monotonic()
    console.print(f"{name} ...", markup=False, highlight=False)
    yield lambda line: console.print(f"  {name}: {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"{name}: done in {time.monotonic() - began:.1f} s", markup=False, highlight=False)


@contextmanager
def step(console: Console, progress: Progress | None, name: str) -> Iterator[Report]:
    """Show one step from begin to end with its time; steps may overlap (from several threads)."""
    if progress is None:
        yield from _plain(console, name)
        return
    began = time.monotonic()
    task = progress.add_task(name, detail="")
    try:
        yield lambda line: progress.update(task, detail=line)
    except BaseException:
        progress.remove_task(task)
        progress.console.print(f"[red]✗[/] {name}  [dim]{time.monotonic() - began:.1f} s[/]")
        raise
    progress.remove_task(task)
    progress.console.print(f"[green]✓[/] {name}  [dim]{time.monotonic() - began:.1f} s[/]")


@contextmanager
def live(console: Console) -> Iterator[Progress | None]:
    """Open the live area on a terminal; None elsewhere."""
    if not console.is_terminal:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("[dim]{task.fields[detail]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        yield progress


class Background:
    """One piece of work in a thread, whose error comes back when it is waited for."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = error

    def wait(self) -> None:
        """Wait for the end; raises what the work raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
