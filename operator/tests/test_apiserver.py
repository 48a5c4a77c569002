"""Tenants, accounts and strategies on a real API server and a real Redis."""

import itertools
from typing import Any

import jwt
import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import ConditionView, Desired, Phase, StrategyView, decode_spec, encode
from algo_operator.render.runner import decode_secret
from algo_operator.vocabulary import (
    BROKER_ACCOUNT,
    CONFIG_MAP,
    FINALIZER,
    LIMIT_RANGE,
    MARKET_DATA_SOURCE,
    NAMESPACE,
    NETWORK_POLICY,
    POD,
    RESOURCE_QUOTA,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    STRATEGY,
    TENANT,
    Key,
    Manifest,
)

from .conftest import OWNER, Desk, MakeDesk, RedisServer

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]

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


@pytest.fixture
async def house(desk: Desk) -> House:
    house = House(desk)
    await house.open()
    return house


async def test_a_tenant_becomes_a_bounded_namespace_with_a_paper_account(house: House) -> None:
    namespace = await house.desk.cluster.get(NAMESPACE, "", house.namespace)
    assert namespace is not None
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "ownerReferences" not in namespace["metadata"]
    quota = await house.get(RESOURCE_QUOTA, "tenant")
    assert quota["spec"]["hard"]["count/strategies.algo.trading"] == "5"
    await house.get(LIMIT_RANGE, "tenant")
    deny = await house.get(NETWORK_POLICY, "default-deny")
    assert sorted(deny["spec"]["policyTypes"]) == ["Egress", "Ingress"]
    assert "egress" not in deny["spec"]
    assert "BEGIN PUBLIC KEY" in (await house.get(CONFIG_MAP, "algo-operator-key"))["data"]["operator.pub"]
    assert (await house.get(ROLE_BINDING, "algo-api"))["roleRef"]["name"] == "view"
    assert (await house.get(BROKER_ACCOUNT, "paper"))["spec"]["marketDataSourceRef"]["name"] == "default"
    source = await house.get(MARKET_DATA_SOURCE, "default")
    assert source["status"]["conditions"][0]["status"] == "True"
    tenant = await house.desk.cluster.get(TENANT, "", house.tenant)
    assert tenant is not None
    assert tenant["status"]["namespace"] == house.namespace
    assert FINALIZER in tenant["metadata"]["finalizers"]


async def test_an_account_becomes_a_gateway(house: House) -> None:
    pod = await house.get(POD, "gw-paper")
    env = {one["name"]: one["value"] for one in pod["spec"]["containers"][0]["env"]}
    assert env["BROKER"] == "paper"
    assert env["WORLD"] == house.tenant
    assert env["WORLD_CLOCK_URL"] == "ws://simulator.algo-system.svc:9000/clock"
    await house.get(SERVICE, "gw-paper")
    secret = await house.get(SECRET, "paper-session")
    assert decode_secret(secret, "session.json") == "{}"
    role = await house.get(ROLE, "paper-session")
    assert role["rules"][0]["resourceNames"] == ["paper-session"]
    status = (await house.get(BROKER_ACCOUNT, "paper"))["status"]
    assert status["simulated"] is True


async def test_an_account_without_a_session_says_how_to_log_in(house: House) -> None:
    key = await house.zerodha_account()
    await house.desk.settle(key)
    account = await house.get(BROKER_ACCOUNT, "zed")
    session = next(one for one in account["status"]["conditions"] if one["type"] == "BrokerSession")
    assert (session["status"], session["reason"]) == ("False", "LoginNeeded")
    assert f"/api/v1/broker-accounts/{account['status']['accountId']}/login" in session["message"]
    env = {one["name"]: one["value"] for one in (await house.get(POD, "gw-zed"))["spec"]["containers"][0]["env"]}
    assert env["BROKER_REST_URL"] == "http://simulator.algo-system.svc:9010"
    await house.desk.redis.hset(
        keys.account_state(account["status"]["accountId"]),
        mapping={
            "session_valid_until": "1618240000000",
            "feed": "connected",
            "breaker": "closed",
            "egress": "10.1.1.1",
        },
    )
    await house.desk.settle(key)
    status = (await house.get(BROKER_ACCOUNT, "zed"))["status"]
    assert status["egressAddress"] == "10.1.1.1"
    assert status["breaker"] == "Closed"
    assert status["sessionValidUntil"].startswith("2021-04-12")


async def test_the_api_may_write_the_session_and_the_operator_leaves_it(house: House) -> None:
    from algo_kube.resources import SECRET as SECRETS

    await house.desk.client.patch(
        SECRETS, "paper-session", {"stringData": {"session.json": '{"a": 1}'}}, namespace=house.namespace
    )
    await house.desk.settle(house.paper_key)
    assert decode_secret(await house.get(SECRET, "paper-session"), "session.json") == '{"a": 1}'


async def test_a_strategy_becomes_a_pod_with_its_epoch_in_status_and_token(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    pod = await house.get(POD, "run-one")
    status = await house.status()
    epoch = status["runner"]["epoch"]
    assert pod["metadata"]["annotations"]["algo.trading/epoch"] == str(epoch)
    assert pod["metadata"]["ownerReferences"][0]["controller"] is True
    assert "blockOwnerDeletion" not in pod["metadata"]["ownerReferences"][0]
    assert pod["spec"]["automountServiceAccountToken"] is False
    secret = await house.get(SECRET, "run-one")
    claims = jwt.decode(
        decode_secret(secret, "token"), house.desk.context.tokens.public_key, algorithms=["EdDSA"], audience="gateway"
    )
    assert claims["epoch"] == epoch
    assert claims["sub"] == status["strategyId"]
    assert claims["symbol"] == "RELIANCE"
    raw = await house.spec_of(status["strategyId"])
    spec = decode_spec(raw)
    assert (spec.desired, spec.name, spec.spec.stop_loss.bp) == (Desired.RUN, f"{house.namespace}/one", 100)
    assert status["phase"] == "Waiting"


async def test_a_pass_over_an_unchanged_world_writes_nothing(house: House, make_desk: MakeDesk) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.run_pod("gw-paper")
    await house.tell(key)
    every = (house.tenant_key, house.source_key, house.paper_key, key)
    await house.desk.settle(*every, passes=3)
    again = await make_desk()
    await again.settle(*every, passes=2)
    assert again.recorder.writes == []


async def test_epochs_only_grow_over_delete_and_recreate(house: House) -> None:
    epochs = []
    for _ in range(3):
        key = await house.strategy()
        await house.desk.settle(key, passes=1)
        epochs.append((await house.status())["runner"]["epoch"])
        await house.tell(key)
        await house.desk.cluster.delete(STRATEGY, house.namespace, "one")
        await house.tell(key)
        await house.desk.settle(key, passes=1)
        assert await house.desk.cluster.get(STRATEGY, house.namespace, "one") is None
        await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)  # as the garbage collector would
        await house.desk.settle(key, passes=1)
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == len(epochs) or epochs[0] == epochs[1]


async def test_a_new_pod_of_the_same_strategy_has_a_higher_epoch_within_the_same_second(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    before = (await house.status())["runner"]["epoch"]
    for expected in range(before + 1, before + 4):
        await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)
        await house.desk.settle(key, passes=1)
        assert (await house.status())["runner"]["epoch"] >= expected
        pod = await house.get(POD, "run-one")
        assert int(pod["metadata"]["annotations"]["algo.trading/epoch"]) >= expected


async def test_the_finalizer_holds_a_strategy_with_a_position(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT, entry_price=20000000)
    await house.desk.settle(key, passes=1)
    assert (await house.status())["position"] == {"quantity": 10, "averagePrice": 2000}
    await house.desk.cluster.delete(STRATEGY, house.namespace, "one")
    await house.desk.settle(key, passes=2)
    status = await house.status()
    deleting = next(one for one in status["conditions"] if one["type"] == "Deleting")
    assert (deleting["status"], deleting["reason"]) == ("True", "WaitingForFlat")
    raw = await house.spec_of(status["strategyId"])
    spec = decode_spec(raw)
    assert spec.deleting
    assert spec.desired is Desired.STOP_EXIT
    await house.get(POD, "run-one")
    await house.tell(key, held=0, phase=Phase.SOLD)
    await house.desk.settle(key, passes=1)
    assert await house.desk.cluster.get(STRATEGY, house.namespace, "one") is None
    assert await house.desk.redis.execute_command("ACL GETUSER", f"run-{status['strategyId']}") is None  # type: ignore[no-untyped-call]


async def test_a_foreground_deletion_does_not_take_the_runner_away(house: House) -> None:
    from algo_kube.resources import STRATEGY as STRATEGIES

    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    await house.desk.client.delete(STRATEGIES, "one", namespace=house.namespace, propagation="Foreground")
    assert "foregroundDeletion" in (await house.get(STRATEGY, "one"))["metadata"]["finalizers"]
    await house.desk.settle(key, passes=1)
    assert (await house.get(STRATEGY, "one"))["metadata"]["finalizers"] == [FINALIZER]


async def test_a_stopped_strategy_keeps_its_pod_until_the_runner_is_flat_and_knows(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key)
    await house.desk.cluster.patch(STRATEGY, house.namespace, "one", {"spec": {"desiredState": "Stopped"}})
    await house.desk.settle(key, passes=1)
    await house.get(POD, "run-one")  # the runner has not heard yet
    await house.tell(key)
    await house.desk.settle(key, passes=1)
    pod = await house.desk.cluster.get(POD, house.namespace, "run-one")
    assert pod is None or pod["metadata"].get("deletionTimestamp")
    await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)
    await house.desk.settle(key, passes=2)
    assert await house.desk.cluster.get(POD, house.namespace, "run-one") is None
    assert (await house.status())["phase"] == "Stopped"
    await house.desk.cluster.patch(STRATEGY, house.namespace, "one", {"spec": {"desiredState": "Running"}})
    await house.desk.settle(key, passes=1)
    await house.get(POD, "run-one")
    assert (await house.status())["phase"] == "Waiting"


async def test_a_halt_reaches_the_door_and_every_spec(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("gw-paper")
    await house.desk.settle(house.paper_key, passes=1)
    url, reasons = house.desk.halts[-1]
    assert url == f"http://gw-paper.{house.namespace}.svc:8081"
    assert not reasons
    await house.desk.cluster.patch(TENANT, "", house.tenant, {"spec": {"halt": {"reason": "panic"}}})
    await house.desk.reconcile(house.tenant_key)
    woken = set(house.desk.context.queue._waiting)
    assert {house.paper_key, key} <= woken
    await house.desk.settle(house.paper_key, key, passes=1)
    assert house.desk.halts[-1][1] == ("tenant: panic",)
    raw = await house.spec_of((await house.status())["strategyId"])
    assert decode_spec(raw).halts == ("tenant: panic",)
    assert (await house.get(BROKER_ACCOUNT, "paper"))["status"]["halted"] is True
    told = len(house.desk.halts)
    await house.desk.settle(house.paper_key, passes=2)
    assert len(house.desk.halts) == told  # once a process and a change
    await house.run_pod("gw-paper", instance="c2")  # the container restarted: it must be told again
    await house.desk.settle(house.paper_key, passes=1)
    assert len(house.desk.halts) == told + 1


async def test_status_comes_from_the_view(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    conditions = {
        "Ready": ConditionView(status="True", reason="Reconciled", since=1618199000000),
        "Protected": ConditionView(status="True", reason="StopResting", message="sl", since=1618199001000),
    }
    changes: dict[str, Any] = {
        "phase": Phase.BOUGHT,
        "reason": "Entered",
        "held": 10,
        "entry_price": 19_512_500,
        "last_price": 19_530_500,
        "stop_price": 19_317_000,
        "protected_since": 1618199001000,
        "pnl": 180_000,
        "conditions": conditions,
    }
    await house.tell(key, **changes)
    await house.desk.settle(key, passes=1)
    status = await house.status()
    assert status["phase"] == "Bought"
    assert status["position"] == {"quantity": 10, "averagePrice": 1951.25}
    assert status["stopPrice"] == 1931.7
    protected = next(one for one in status["conditions"] if one["type"] == "Protected")
    assert protected["lastTransitionTime"].startswith("2021-04-12T03:43:21")
    assert status["observedGeneration"] == 1
    writes = len(house.desk.recorder.writes)
    await house.tell(key, **{**changes, "last_price": 19_531_000, "pnl": 185_000})
    await house.desk.settle(key, passes=1)
    assert len(house.desk.recorder.writes) == writes, "figures wait a minute"
    protected_lost = ConditionView(status="False", reason="StopCancelled", since=1618199009000)
    await house.tell(key, **{**changes, "conditions": {**conditions, "Protected": protected_lost}})
    await house.desk.settle(key, passes=1)
    status = await house.status()
    assert next(one for one in status["conditions"] if one["type"] == "Protected")["status"] == "False"


async def test_emptied_redis_is_filled_again(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    await house.desk.settle(key, passes=1)
    status = await house.status()
    identifier = status["strategyId"]
    await house.desk.redis.flushall()
    await house.desk.redis.execute_command("ACL DELUSER", f"run-{identifier}")  # type: ignore[no-untyped-call]
    await house.desk.settle(key, passes=1)
    assert await house.desk.redis.get(keys.spec(identifier)) is not None
    assert await house.desk.redis.execute_command("ACL GETUSER", f"run-{identifier}") is not None  # type: ignore[no-untyped-call]
    await house.get(POD, "run-one")
    assert (await house.status())["phase"] == "Bought", "what was last known stays"


async def test_without_redis_strategies_still_get_their_pods(house: House, redis_server: RedisServer) -> None:
    key = await house.strategy()
    redis_server.stop()
    done = await house.desk.reconcile(key)
    assert done.again is not None
    assert done.again <= 5
    await house.get(POD, "run-one")
    redis_server.start()
    await house.desk.settle(key, passes=1)
    raw = await house.spec_of((await house.status())["strategyId"])
    assert raw is not None


async def test_a_strategy_with_broken_references_says_so_and_gets_no_pod(house: House) -> None:
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "noacc": ({"brokerAccountRef": {"name": "none"}}, "AccountNotFound"),
        "wrong": ({"mode": "Paper", "brokerAccountRef": {"name": "zed"}}, "ModeMismatch"),
    }
    await house.zerodha_account()
    for name, (changes, reason) in cases.items():
        key = await house.strategy(name, **changes)
        await house.desk.settle(key, passes=2)
        status = await house.status(name)
        ready = next(one for one in status["conditions"] if one["type"] == "Ready")
        assert (ready["status"], ready["reason"]) == ("False", reason)
        assert status["reason"] == reason
        assert await house.desk.cluster.get(POD, house.namespace, f"run-{name}") is None
        assert "epoch" not in status.get("runner", {})


async def test_another_tenants_owner_is_refused(house: House, desk: Desk) -> None:
    other = House(desk)
    await other.open()
    key = await house.strategy()
    patch = {"metadata": {"annotations": {"algo.trading/user": other.owner}}}
    await desk.cluster.patch(STRATEGY, house.namespace, "one", patch)
    await desk.settle(key, passes=1)
    assert (await house.status())["reason"] == "ForeignOwner"


async def test_a_crash_loop_with_a_position_is_replaced(house: House, make_desk: MakeDesk) -> None:
    import time

    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    pod = await house.get(POD, "run-one")
    before = (await house.status())["runner"]["epoch"]
    await house.desk.kubelet(
        pod,
        phase="Running",
        containerStatuses=[
            {
                "name": "runner",
                "image": "i",
                "imageID": "i",
                "ready": False,
                "restartCount": 5,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            }
        ],
    )
    later = await make_desk(clock=lambda: time.time() + 30)
    await later.settle(key, passes=1)
    left = await house.desk.cluster.get(POD, house.namespace, "run-one")
    assert left is None or left["metadata"].get("deletionTimestamp")
    await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)
    await later.settle(key, passes=1)
    new = await house.get(POD, "run-one")
    assert new["metadata"]["uid"] != pod["metadata"]["uid"]
    assert (await house.status())["runner"]["epoch"] > before


async def test_a_new_image_rolls_when_flat_only(house: House, make_desk: MakeDesk) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    newer = await make_desk(image="algo:next")
    await newer.settle(key, passes=1)
    assert (await house.get(POD, "run-one"))["spec"]["containers"][0]["image"] == "algo:test"
    await house.tell(key, held=0, phase=Phase.SOLD)
    await newer.settle(key, passes=1)
    await house.desk.cluster.delete(POD, house.namespace, "run-one", grace=0)
    await newer.settle(key, passes=1)
    assert (await house.get(POD, "run-one"))["spec"]["containers"][0]["image"] == "algo:next"


async def test_accounts_wait_for_flat_strategies(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.run_pod("run-one")
    await house.tell(key, held=10, phase=Phase.BOUGHT)
    await house.desk.settle(key, passes=1)
    await house.desk.cluster.delete(BROKER_ACCOUNT, house.namespace, "paper")
    await house.desk.settle(house.paper_key, passes=1)
    status = (await house.get(BROKER_ACCOUNT, "paper"))["status"]
    deleting = next(one for one in status["conditions"] if one["type"] == "Deleting")
    assert "one" in deleting["message"]
    await house.tell(key, held=0, phase=Phase.SOLD)
    await house.desk.settle(house.paper_key, passes=1)
    assert await house.desk.cluster.get(BROKER_ACCOUNT, house.namespace, "paper") is None


async def test_a_tenant_ends_in_order(house: House) -> None:
    key = await house.strategy()
    await house.desk.settle(key, passes=1)
    await house.tell(key)
    await house.desk.cluster.delete(TENANT, "", house.tenant)
    await house.desk.settle(house.tenant_key, passes=1)
    assert (await house.get(STRATEGY, "one"))["metadata"]["deletionTimestamp"]
    assert "deletionTimestamp" not in (await house.get(BROKER_ACCOUNT, "paper"))["metadata"]
    await house.tell(key)
    await house.desk.settle(key, house.tenant_key, passes=1)
    assert (await house.get(BROKER_ACCOUNT, "paper"))["metadata"]["deletionTimestamp"]
    await house.desk.settle(house.paper_key, house.tenant_key, passes=1)
    namespace = await house.desk.cluster.get(NAMESPACE, "", house.namespace)
    assert namespace is not None
    assert namespace["metadata"]["deletionTimestamp"]
    assert await house.desk.cluster.get(TENANT, "", house.tenant) is not None
