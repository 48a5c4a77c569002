"""A watch on which nothing happens is alive: liveness must not take a quiet cluster for a dead one."""

import asyncio
import time

import pytest
from algo_local.controlplane import ApiServer
from algo_operator import kopf_shell
from algo_operator.health import Health
from algo_operator.vocabulary import OWN_KINDS, Key, Manifest

pytestmark = [pytest.mark.apiserver]


async def test_a_quiet_watch_gives_signs(apiserver: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(apiserver.kubeconfig))
    monkeypatch.setattr(kopf_shell, "_SERVER_SECONDS", 1)
    health, told = Health(), [Key(OWN_KINDS[0], "", "not listed yet")]

    def on_event(key: Key, _resource: Manifest, _change: str | None) -> None:
        told.append(key)

    async def all_signed() -> None:
        mark = time.monotonic()
        # The signs come from another thread.
        while not all(health.signs.get(kind.plural, 0.0) > mark for kind in OWN_KINDS):  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    shell = asyncio.create_task(kopf_shell.run_shell(on_event, health))
    try:
        async with asyncio.timeout(40):
            while not health.ready:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            while told:  # until a whole round of signs came in which nothing was told
                told.clear()
                await all_signed()
    finally:
        shell.cancel()
        await asyncio.gather(shell, return_exceptions=True)
