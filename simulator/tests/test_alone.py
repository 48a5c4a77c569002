"""One simulated broker by itself: what starts, what is said of it, and what it refuses."""

import asyncio
import os
import socket
import sys
from datetime import date
from pathlib import Path

import aiohttp
import pytest
from algo_simulator.alone import AloneSpec, introduction, main, start_alone
from algo_simulator.first_login import first_login
from algo_simulator.servers import FRONTS
from algo_simulator.testing import ticks
from algo_simulator.world import WorldError


@pytest.mark.parametrize("broker", sorted(FRONTS))
async def test_every_broker_runs_and_its_market_moves(broker: str, tmp_path: Path) -> None:
    folder = tmp_path / "2021-04-12"
    folder.mkdir()
    (folder / "RELIANCE.csv.gz").write_bytes(ticks([(f"09:15:{second:02}", "2000") for second in range(30)]))
    spec = AloneSpec(broker=broker, port=0, ticks=folder, speed=100)
    alone = await start_alone(spec)
    try:
        assert alone.day == date(2021, 4, 12)
        text = introduction(alone, spec)
        told = (alone.root, alone.account.api_key, alone.account.client_id, alone.session.access_token)
        assert all(part and part in text for part in told)
        assert f"the recording {folder}, 100 session seconds" in text
        headers = {"Authorization": f"Bearer {alone.control_token}"}
        async with aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"{alone.control}/worlds/alone", headers=headers) as response:
                    view = await response.json()
                if view["now"] >= 1_618_199_105_000:
                    break
                assert view["state"] == "running"
                await asyncio.sleep(0.02)
            async with http.get(f"{alone.root}/no-such-path") as response:
                assert response.status >= 400
    finally:
        await alone.stop()


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (AloneSpec(broker="nobody"), "zerodha"),
        (AloneSpec(broker="zerodha", speed=0), "speed"),
        (AloneSpec(broker="zerodha", port=65_536), "port 65536: it is a number from 1 to 65535, or 0"),
        (AloneSpec(broker="zerodha", port=-1), "port -1"),
        (AloneSpec(broker="zerodha", symbols=("NOPE",)), "NSE:NOPE"),
        (AloneSpec(broker="zerodha", day=date(2021, 5, 1)), "no trading day"),
        (AloneSpec(broker="zerodha", ticks=Path("/nowhere")), "no recording of RELIANCE"),
        (AloneSpec(broker="zerodha", ticks=Path(__file__), symbols=("TCS", "SBIN")), "several symbols"),
        (AloneSpec(broker="zerodha", ticks=Path(__file__)), "test_alone.py"),
    ],
)
async def test_what_cannot_be_is_said(spec: AloneSpec, text: str) -> None:
    with pytest.raises(WorldError, match=text):
        await start_alone(spec)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("timestamp,ltp,volume", "2021-04-12 09:15:00,2000,100"),
        ("date,price,qty,trnvr,cum_trnvr", "2021-04-12 09:15:00 AM,2000,1,0.2,0.2"),
        ("ts,open,high,low,close,volume", "2021-04-12 09:15:00,2000,2000,2000,2000,100"),
        (
            "symbol,timestamp,open,high,low,close,volume,oi",
            "NSE:RELIANCE-EQ,2021-04-12 09:15:00,2000,2000,2000,2000,1,0",
        ),
    ],
)
async def test_every_layout_of_a_recording_can_be_named_as_file_or_folder(
    tmp_path: Path, header: str, row: str
) -> None:
    day = tmp_path / "2021-04-12"
    day.mkdir()
    (day / "RELIANCE.csv").write_text(f"{header}\n{row}\n")
    for path in (day, day / "RELIANCE.csv"):
        alone = await start_alone(AloneSpec(broker="dhan", port=0, ticks=path))
        await alone.stop()
        assert alone.day == date(2021, 4, 12)


async def test_another_symbols_file_and_a_folder_of_days_are_told_apart(tmp_path: Path) -> None:
    day = tmp_path / "2021-04-12"
    day.mkdir()
    (day / "TCS.csv.gz").write_bytes(ticks([("09:15:00", "3000")]))
    for path, text in (
        (day / "TCS.csv.gz", "holds the prices of TCS, not of NSE:RELIANCE; say --symbol TCS"),
        (day, "there is TCS"),
        (tmp_path, "there is 2021-04-12"),
    ):
        with pytest.raises(WorldError, match=text):
            await start_alone(AloneSpec(broker="dhan", port=0, ticks=path))


@pytest.mark.parametrize("broker", sorted(FRONTS))
async def test_the_open_session_is_good_for_a_call_and_a_login_of_ones_own_still_works(broker: str) -> None:
    alone = await start_alone(AloneSpec(broker=broker, port=0))
    key, token = alone.account.api_key, alone.session.access_token
    good: dict[str, tuple[str, dict[str, str]]] = {
        "zerodha": ("/user/profile", {"Authorization": f"token {key}:{token}"}),
        "dhan": ("/v2/profile", {"access-token": token}),
        "fyers": ("/api/v3/profile", {"Authorization": f"{key}:{token}"}),
        "angelone": (
            "/rest/secure/angelbroking/user/v1/getProfile",
            {"Authorization": f"Bearer {token}", "X-PrivateKey": key, "X-UserType": "USER", "X-SourceID": "WEB"},
        ),
    }
    path, headers = good[broker]
    try:
        async with aiohttp.ClientSession() as http, http.get(alone.root + path, headers=headers) as answer:
            assert answer.status == 200
            assert alone.account.client_id in await answer.text()
        again = await first_login(alone.root, alone.account)
        assert again.access_token != token
        assert token not in repr(alone)
    finally:
        await alone.stop()


def test_a_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--broker", "dhan", "--port", str(port)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert (
        told.err
        == f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port (0: a free one)\n"
    )
    assert main(["--broker", "dhan", "--port", "0", "--host", "nowhere.invalid"]) == 2
    assert capsys.readouterr().err.startswith("cannot listen on nowhere.invalid:0: ")


async def test_the_command_says_where_it_is_and_ends_when_it_is_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "algo_simulator.alone",
        *("--broker", "zerodha", "--port", "0", "--date", "2021-04-12", "--symbol", "TCS", "--symbol", "NIFTY"),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    try:
        assert b"zerodha, simulated, the session of 2021-04-12" in await asyncio.wait_for(process.stdout.readline(), 20)
        assert b"http://127.0.0.1:" in await process.stdout.readline()
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
