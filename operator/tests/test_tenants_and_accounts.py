"""Tenants and broker accounts on a real API server: what they become, and in which order they end."""

import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import Phase
from algo_operator.render.runner import decode_secret
from algo_operator.vocabulary import (
    BROKER_ACCOUNT,
    CONFIG_MAP,
    EVENT,
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

from .conftest import OWNER, Desk
from .house import House

pytestmark = [pytest.mark.apiserver, pytest.mark.redis]


@pytest.fixture
async def house(desk: Desk) -> House:
    made = House(desk)
    await made.open()
    return made


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


async def test_a_namespace_that_is_somebody_elses_is_never_taken_over(desk: Desk) -> None:
    name = "tnt-taken"
    foreign: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"algo-{name}"}}
    before = await desk.cluster.create(foreign)
    spec = {"displayName": "Late", "owner": OWNER}
    tenant = {"apiVersion": "algo.trading/v1alpha1", "kind": "Tenant", "metadata": {"name": name}, "spec": spec}
    await desk.cluster.create(tenant)
    await desk.settle(Key(TENANT, "", name), passes=2)
    made = await desk.cluster.get(TENANT, "", name)
    assert made is not None
    (ready,) = made["status"]["conditions"]
    assert (ready["status"], ready["reason"]) == ("False", "NamespaceTaken")
    assert "rename" in made["status"]["message"]
    assert await desk.cluster.get(NAMESPACE, "", f"algo-{name}") == before
    assert await desk.cluster.list(NETWORK_POLICY, f"algo-{name}") == []


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
    assert env["SIMULATED_BROKER_URL"] == "http://simulator.algo-system.svc:9010"
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
    assert "EgressAddress" not in {one["type"] for one in status["conditions"]}, "a gateway of an earlier version"


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("Registered", "True"),
        ("Differs", "False"),
        ("NoneRegistered", "Unknown"),
        ("NotChecked", "Unknown"),
        ("Unreachable", "Unknown"),
        ("SomethingNew", "Unknown"),
    ],
)
async def test_the_address_in_use_is_a_condition(house: House, reason: str, status: str) -> None:
    key = await house.zerodha_account()
    await house.desk.settle(key)
    account = await house.get(BROKER_ACCOUNT, "zed")
    told = {
        "session_valid_until": "4102444800000",
        "egress_state": reason,
        "egress_message": "look",
        "egress": "10.1.1.1",
    }
    await house.desk.redis.hset(keys.account_state(account["status"]["accountId"]), mapping=told)
    await house.desk.settle(key)
    found = (await house.get(BROKER_ACCOUNT, "zed"))["status"]
    (condition,) = (one for one in found["conditions"] if one["type"] == "EgressAddress")
    assert (condition["status"], condition["reason"], condition["message"]) == (status, reason, "look")
    assert found.get("message", "") == ("look" if status == "False" else "")


async def test_the_gateways_newest_error_becomes_an_event_once(house: House) -> None:
    key = await house.zerodha_account()
    await house.desk.settle(key)
    account = await house.get(BROKER_ACCOUNT, "zed")
    state = keys.account_state(account["status"]["accountId"])

    async def events() -> list[tuple[str, str, int]]:
        found = await house.desk.cluster.list(EVENT, house.namespace)
        mine = [one for one in found if one["involvedObject"].get("uid") == account["metadata"]["uid"]]
        return [(one["reason"], one["type"], one["count"]) for one in mine if one["type"] == "Warning"]

    await house.desk.redis.hset(state, "alert", '{"code": "UnknownOrderStatus", "message": "order 1", "time": 5}')
    await house.desk.settle(key)
    await house.desk.settle(key)
    assert await events() == [("UnknownOrderStatus", "Warning", 1)]
    for text in ("broken", "{}"):
        await house.desk.redis.hset(state, "alert", text)
        await house.desk.settle(key)
    await house.desk.redis.hset(state, "alert", '{"code": "EgressAddressDiffers", "message": "a", "time": 6}')
    await house.desk.settle(key)
    assert sorted(await events()) == [("EgressAddressDiffers", "Warning", 1), ("UnknownOrderStatus", "Warning", 1)]


async def test_the_api_may_write_the_session_and_the_operator_leaves_it(house: House) -> None:
    from algo_kube.resources import SECRET as SECRETS

    await house.desk.client.patch(
        SECRETS, "paper-session", {"stringData": {"session.json": '{"a": 1}'}}, namespace=house.namespace
    )
    await house.desk.settle(house.paper_key)
    secret = await house.get(SECRET, "paper-session")
    assert decode_secret(secret, "session.json") == '{"a": 1}'
    annotations = (await house.get(POD, "gw-paper"))["metadata"]["annotations"]
    assert annotations["algo.trading/session-version"] == secret["metadata"]["resourceVersion"], (
        "the kubelet renews now"
    )


async def test_another_tenants_owner_is_refused(house: House, desk: Desk) -> None:
    other = House(desk)
    await other.open()
    key = await house.strategy()
    patch = {"metadata": {"annotations": {"algo.trading/user": other.owner}}}
    await desk.cluster.patch(STRATEGY, house.namespace, "one", patch)
    await desk.settle(key, passes=1)
    assert (await house.status())["reason"] == "ForeignOwner"


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
