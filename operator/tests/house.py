"""One tenant on the test's API server, and the hands of those who do not run here: kubelet and runner."""

import itertools
from typing import Any

from algo_crds.contracts import keys
from algo_crds.contracts.runtime import ConditionView, Phase, StrategyView, encode
from algo_operator.vocabulary import (
    BROKER_ACCOUNT,
    MARKET_DATA_SOURCE,
    POD,
    STRATEGY,
    TENANT,
    Key,
    Manifest,
)

from .conftest import OWNER, Desk

_NUMBERS = itertools.count()


class House:
    """One tenant with its names."""

    def __init__(self, desk: Desk) -> None:
        number = next(_NUMBERS)
        self.desk = desk
        self.tenant = f"tnt-house-{number}"
        self.namespace = f"algo-{self.tenant}"
        self.owner = OWNER[:-2] + f"{number:02d}"
        self.tenant_key = Key(TENANT, "", self.tenant)
        self.paper_key = Key(BROKER_ACCOUNT, self.namespace, "paper")
        self.source_key = Key(MARKET_DATA_SOURCE, self.namespace, "default")

    async def open(self) -> None:
        spec = {"displayName": "House", "owner": self.owner, "quota": {"maxStrategies": 5, "cpu": "2000m"}}
        await self.desk.cluster.create(
            {"apiVersion": "algo.trading/v1alpha1", "kind": "Tenant", "metadata": {"name": self.tenant}, "spec": spec}
        )
        await self.desk.settle(self.tenant_key, passes=2)
        await self.desk.settle(self.source_key, self.paper_key, passes=3)

    def key(self, name: str) -> Key:
        return Key(STRATEGY, self.namespace, name)

    async def strategy(self, name: str = "one", **changes: Any) -> Key:
        spec = {
            "symbol": "RELIANCE",
            "quantity": 10,
            "buyTime": "09:20:00",
            "sellTime": "15:05:00",
            "stopLoss": {"percent": 1},
            **changes,
        }
        await self.desk.cluster.create(
            {
                "apiVersion": "algo.trading/v1alpha1",
                "kind": "Strategy",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": spec,
            }
        )
        return self.key(name)

    async def zerodha_account(self) -> Key:
        await self.desk.cluster.create(
            {
                "apiVersion": "algo.trading/v1alpha1",
                "kind": "BrokerAccount",
                "metadata": {"name": "zed", "namespace": self.namespace},
                "spec": {"broker": "zerodha", "clientId": "AB1234", "environment": "Simulator"},
            }
        )
        return Key(BROKER_ACCOUNT, self.namespace, "zed")

    async def get(self, kind: Any, name: str) -> Manifest:
        found = await self.desk.cluster.get(kind, self.namespace, name)
        assert found is not None, f"there is no {kind.kind} {name}"
        return found

    async def status(self, name: str = "one") -> Manifest:
        status: Manifest = (await self.get(STRATEGY, name))["status"]
        return status

    async def tell(self, key: Key, **changes: Any) -> StrategyView:
        """Writes a view, as the runner would."""
        strategy = await self.get(STRATEGY, key.name)
        status = strategy["status"]
        view = StrategyView(
            **{
                "strategy_id": status["strategyId"],
                "epoch": status["runner"]["epoch"],
                "generation": strategy["metadata"]["generation"],
                "day": "2021-04-12",
                "now": 1618200000000,
                "phase": Phase.WAITING,
                "reason": "BeforeBuyTime",
                "message": "waits for 09:20:00",
                "conditions": {
                    "Ready": ConditionView(status="True", reason="Reconciled", since=1618199000000),
                    "Protected": ConditionView(status="True", reason="NoPosition", since=1618199000000),
                },
                **changes,
            }
        )
        await self.desk.redis.hset(keys.state(view.strategy_id), "view", encode(view))
        return view

    async def spec_of(self, strategy_id: str) -> bytes:
        """The runtime spec as written."""
        raw = await self.desk.redis.get(keys.spec(strategy_id))
        assert isinstance(raw, bytes), "there is no spec"
        return raw

    async def run_pod(self, name: str, *, instance: str = "c1") -> None:
        """The kubelet starts a pod."""
        pod = await self.get(POD, name)
        await self.desk.kubelet(
            pod,
            phase="Running",
            conditions=[{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-25T10:00:00Z"}],
            containerStatuses=[
                {
                    "name": pod["spec"]["containers"][0]["name"],
                    "image": "i",
                    "imageID": "i",
                    "ready": True,
                    "restartCount": 0,
                    "containerID": f"containerd://{instance}",
                    "state": {"running": {"startedAt": "2026-11-25T10:00:00Z"}},
                }
            ],
        )

    async def crash_pod(self, name: str) -> None:
        """The kubelet waits before it starts a pod's container again."""
        pod = await self.get(POD, name)
        await self.desk.kubelet(
            pod,
            phase="Running",
            containerStatuses=[
                {
                    "name": pod["spec"]["containers"][0]["name"],
                    "image": "i",
                    "imageID": "i",
                    "ready": False,
                    "restartCount": 5,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                }
            ],
        )
