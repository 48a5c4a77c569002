"""A recorded process is found again only if it is the very same process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from algo_local.processes import (
    WaitTimeoutError,
    identify,
    is_alive,
    read_record,
    send_signal,
    terminate,
    wait_until,
    write_record,
)


def sleeper(code: str = "import time; time.sleep(600)") -> subprocess.Popen[str]:
    script = f"import signal\nprint('on', flush=True)\n{code}"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process


def test_record_round_trip(tmp_path: Path) -> None:
    own = identify(os.getpid())
    assert own is not None
    write_record(tmp_path / "node.json", own)
    assert read_record(tmp_path / "node.json") == own
    assert is_alive(own)


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', "[]", '{"pid": "x", "started": 1, "boot": "b"}'])
def test_a_record_cut_short_is_no_record(tmp_path: Path, content: str) -> None:
    path = tmp_path / "node.json"
    path.write_text(content)
    assert read_record(path) is None


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_a_reused_pid_is_never_hit(change: dict[str, int | str]) -> None:
    process = sleeper()
    try:
        identity = identify(process.pid)
        assert identity is not None
        other = replace(identity, **change)  # type: ignore[arg-type]
        assert not is_alive(other)
        assert not send_signal(other, signal.SIGKILL)
        terminate(other, 0.1)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_terminate_kills_what_ignores_sigterm() -> None:
    process = sleeper("import time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    identity = identify(process.pid)
    assert identity is not None
    terminate(identity, 0.2)
    assert process.wait() == -signal.SIGKILL


def test_a_zombie_counts_as_gone() -> None:
    process = sleeper()
    identity = identify(process.pid)
    assert identity is not None
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(identity), 5.0, "a zombie counts as alive")
    process.wait()


def test_wait_names_what_did_not_happen() -> None:
    with pytest.raises(WaitTimeoutError, match="the moon"):
        wait_until(lambda: False, 0.0, "the moon did not fall")
