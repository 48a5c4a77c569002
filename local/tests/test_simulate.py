"""`algo simulate`: what it starts, what it says, and that it answers in the broker's protocol until it is stopped."""

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from algo_local.cli import app
from algo_local.simulate import command
from typer.testing import CliRunner


def test_every_argument_reaches_the_simulator(tmp_path: Path) -> None:
    words = command("dhan", port=0, ticks=tmp_path, symbols=("TCS", "NSE:INFY"), speed=2.5, day="2021-04-12", seed=7)
    assert words[:3] == [sys.executable, "-m", "algo_simulator.alone"]
    assert set(words[3:]) == {
        *("--broker=dhan", "--port=0", f"--ticks={tmp_path}", "--symbol=TCS", "--symbol=NSE:INFY"),
        *("--speed=2.5", "--date=2021-04-12", "--seed=7"),
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--broker", "nobody"], "it is one of zerodha, dhan, fyers, angelone"),
        (["--broker", "dhan", "--ticks", "/no/such/folder"], "no such file or folder"),
        (["--broker", "dhan", "--port", "65536"], "--port 65536: it is a number from 1 to 65535, or 0 for a free one"),
        (["--broker", "dhan", "--port", "-1"], "--port -1: it is a number"),
        (["--broker", "dhan", "--date", "12.04.2021"], "write it as YYYY-MM-DD"),
        (["--broker", "dhan", "--date", "2021-02-30"], "write it as YYYY-MM-DD"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    assert result.exit_code == 1
    assert words in result.output


def test_what_the_simulator_refuses_is_one_sentence_and_nothing_else(tmp_path: Path) -> None:
    """From a folder of the user's own, with a path relative to it."""
    (tmp_path / "mine").mkdir()
    words = [sys.executable, "-m", "algo_local.cli", "simulate", "--broker", "fyers", "--port", "0", "--ticks", "mine"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "no recording of RELIANCE in mine; expected RELIANCE.csv[.gz]\n"


@pytest.mark.parametrize("broker", ["zerodha", "dhan", "fyers", "angelone"])
def test_it_tells_where_it_is_answers_there_and_ends_on_ctrl_c(broker: str) -> None:
    words = [sys.executable, "-m", "algo_local.cli", "simulate", "--broker", broker, "--port", "0", "--speed", "100"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = ""
            for line in process.stdout:
                told += line
                if line.startswith("faults"):
                    break
            assert "Ctrl-C stops it" in told
            for row in ("market", "client id", "app key", "PIN", "TOTP secret", "access token", "log in"):
                assert re.search(rf"^{row} +\S", told, re.MULTILINE), told
            (address,) = re.findall(r"^address +(http\S+)", told, re.MULTILINE)
            request = urllib.request.Request(f"{address}/nothing-here")
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with pytest.raises(urllib.error.HTTPError) as refused:
                opener.open(request, timeout=20)
            assert 400 <= refused.value.code < 500
            refused.value.close()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()
