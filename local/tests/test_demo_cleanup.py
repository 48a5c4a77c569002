"""Wherever a demo stops, nothing of it is left: its world at the simulated exchange, its trader in the cluster."""

import asyncio
import os
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from algo_local.demo.endpoints import Endpoints, Kubectl, forward
from algo_local.demo.flow import prepared
from algo_local.demo.options import DemoOptions
from algo_local.demo.result import Follower
from algo_local.demo.services import ServiceError
from algo_simulator.control import create_control_app
from algo_simulator.worlds import Worlds

OPTIONS = DemoOptions(
    broker="paper",
    symbol="RELIANCE",
    quantity=10,
    buy_time="09:20:00",
    sell_time="15:05:00",
    stop_percent=Decimal(1),
)
TENANT_GOES = "delete tenant.algo.trading tnt-1 --wait=false --ignore-not-found"


@dataclass
class Stage:
    """A real simulator, an API that answers what it is told to, and a kubectl that writes down its arguments."""

    folder: Path
    worlds: Worlds = field(default_factory=lambda: Worlds(5))
    refuse: str = ""
    ready: bool = True
    held: int = 0
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    said: list[str] = field(default_factory=list)
    endpoints: Endpoints | None = None

    def step(self, text: str) -> None:
        self.said.append(text)

    def live(self, follower: Follower, strategy: dict[str, Any], world: dict[str, Any]) -> None:
        raise AssertionError((follower, strategy, world))

    async def api(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/api/v1")
        if path == self.refuse:
            return web.json_response({"detail": "not today"}, status=400)
        answers: dict[str, Any] = {
            "/auth/register": {"id": "usr_1", "tenant_id": "tnt_1"},
            "/auth/login": {"access_token": "t"},
            "/broker-accounts": {"id": "brk_1", "broker": "paper"},
            "/strategies": {"id": "str_1"},
        }
        if path == "/strategies/str_1":
            self.looked.set()
        status = "True" if self.ready else "False"
        shown = {
            "id": "str_1",
            "resource": "algo-tnt-1/str-1",
            "conditions": [{"type": "Ready", "status": status}],
            "position": {"quantity": self.held} if self.held else None,
            "final": False,
        }
        return web.json_response(answers.get(path, shown))

    def kubectl(self, *, fails: str = "") -> Kubectl:
        program = self.folder / "kubectl"
        lines = [f'echo "$*" >> {shlex.quote(str(self.folder / "calls"))}', "cat > /dev/null"]
        if fails:
            lines.append(f'case "$*" in *{fails}*) echo "no connection" >&2; exit 1;; esac')
        program.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
        program.chmod(0o755)
        return Kubectl(binary=program, kubeconfig=self.folder / "config")

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.partition(" ")[2] for line in lines]

    @property
    def names(self) -> list[str]:
        return [clock.world.name for clock in self.worlds.all()]


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    api = web.Application()
    api.router.add_route("*", "/{tail:.*}", made.api)
    (first, api_url), (second, control) = await serve(api), await serve(create_control_app(made.worlds, "t", 2**24))
    made.endpoints = Endpoints(api=api_url, control=control, brokers={}, control_token="t")
    yield made
    await first.cleanup()
    await second.cleanup()


async def go(stage: Stage, kubectl: Kubectl, options: DemoOptions = OPTIONS) -> None:
    assert stage.endpoints is not None
    async with prepared(kubectl, stage.endpoints, options, stage):
        assert len(stage.names) == 1


async def test_at_the_end_world_and_tenant_go(stage: Stage) -> None:
    await go(stage, stage.kubectl())
    assert stage.names == []
    assert stage.calls[-1] == TENANT_GOES


@pytest.mark.parametrize("refused", ["/auth/login", "/broker-accounts", "/strategies"])
async def test_a_refusal_on_the_way_leaves_nothing(stage: Stage, refused: str) -> None:
    stage.refuse = refused
    with pytest.raises(ServiceError, match="400 not today"):
        await go(stage, stage.kubectl())
    assert stage.names == []
    assert stage.calls[-1] == TENANT_GOES


async def test_a_refused_trader_leaves_no_world(stage: Stage) -> None:
    stage.refuse = "/auth/register"
    with pytest.raises(ServiceError):
        await go(stage, stage.kubectl())
    assert (stage.names, stage.calls) == ([], [])


async def test_a_refused_recording_leaves_no_world(stage: Stage) -> None:
    folder = stage.folder / "2021-04-12"
    folder.mkdir()
    (folder / "RELIANCE.csv").write_text("timestamp,ltp,volume\n2021-04-12 09:15:00,x,1\n")
    options = DemoOptions(**{name: getattr(OPTIONS, name) for name in OPTIONS.__slots__} | {"ticks": folder})
    with pytest.raises(ServiceError, match="not a price"):
        await go(stage, stage.kubectl(), options)
    assert (stage.names, stage.calls) == ([], [])


async def test_stopped_by_hand_with_a_position_open(stage: Stage) -> None:
    stage.ready, stage.held = False, 10
    running = asyncio.create_task(go(stage, stage.kubectl()))
    async with asyncio.timeout(10):
        await stage.looked.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert stage.names == []
    give_up = "-n algo-tnt-1 annotate --overwrite strategy str-1 algo.trading/abandon-position=10"
    assert stage.calls[-2:] == [give_up, TENANT_GOES]


@pytest.mark.parametrize("fails", ["annotate", "delete"])
async def test_what_cannot_be_removed_does_not_keep_the_rest(stage: Stage, fails: str) -> None:
    await go(stage, stage.kubectl(fails=fails))
    assert stage.names == []
    assert stage.calls[-1] == TENANT_GOES
    told = [text for text in stage.said if "algo kubectl delete tenant tnt-1" in text]
    assert len(told) == (fails == "delete"), "the person is told the command"


async def test_the_way_to_the_services_outlives_ctrl_c(tmp_path: Path) -> None:
    """A terminal sends it to every process of the group; the forward tells its session in place of a port."""
    program = tmp_path / "kubectl"
    program.write_text(
        '#!/bin/sh\necho "Forwarding from 127.0.0.1:$(ps -o sid= -p $$ | tr -d " ") -> 9000"\nexec sleep 60\n'
    )
    program.chmod(0o755)
    async with forward(Kubectl(binary=program, kubeconfig=tmp_path), "algo-simulator", [9000]) as ports:
        assert ports[9000] != os.getsid(0)
