"""The table of samples against the real API server and against the models: both say the same."""

import importlib.util
import secrets
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from algo_crds.resources.broker_account import session_secret_name
from algo_crds.resources.catalog import KINDS
from algo_crds.resources.metadata import Resource
from algo_crds.resources.rules import RULE_ERROR, broken_transitions
from algo_crds.resources.strategy import Strategy
from algo_kube import resources as res
from algo_kube.contract import KubeClient
from algo_kube.errors import InvalidError, KubeError
from algo_local.controlplane import ApiServer
from pydantic import ValidationError

pytestmark = pytest.mark.apiserver


def _table() -> ModuleType:
    path = Path(__file__).parent / "samples" / "table.py"
    spec = importlib.util.spec_from_file_location("sample_table", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


table = _table()
RESOURCES = {"Strategy": res.STRATEGY, "BrokerAccount": res.BROKER_ACCOUNT} | {
    "MarketDataSource": res.MARKET_DATA_SOURCE,
    "Tenant": res.TENANT,
}
MODELS: dict[str, type[Resource]] = {kind.name: kind.model for kind in KINDS}
SAMPLES_FOR_USERS = sorted((Path(__file__).parent.parent / "samples").glob("*.yaml"))


def manifest(kind: str, spec: dict[str, Any], name: str | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name or f"t-{secrets.token_hex(5)}"}
    if RESOURCES[kind].namespaced:
        metadata["namespace"] = "default"
    return {"apiVersion": "algo.trading/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("sample", table.SAMPLES, ids=lambda sample: sample.id)
async def test_api_server(kube: KubeClient, sample: Any) -> None:
    body = manifest(sample.kind, table.changed(table.BASES[sample.kind], sample.change))
    query = {"fieldValidation": "Strict", "dryRun": "All"}
    path = RESOURCES[sample.kind].path(body["metadata"].get("namespace"))
    if sample.message is None:
        await kube.raw("POST", path, body=body, query=query)
        return
    with pytest.raises(KubeError) as caught:
        await kube.raw("POST", path, body=body, query=query)
    assert sample.message in str(caught.value)


@pytest.mark.parametrize("sample", table.SAMPLES, ids=lambda sample: sample.id)
def test_model(sample: Any) -> None:
    body = manifest(sample.kind, table.changed(table.BASES[sample.kind], sample.change))
    if sample.message is None:
        MODELS[sample.kind].model_validate(body)
        return
    with pytest.raises(ValidationError) as caught:
        MODELS[sample.kind].model_validate(body)
    assert (sample.model or sample.message) in str(caught.value)
    assert (RULE_ERROR in {error["type"] for error in caught.value.errors()}) == (sample.model is None)


@pytest.mark.parametrize("update", table.UPDATES, ids=lambda update: update.id)
async def test_update_while_bought(kube: KubeClient, update: Any) -> None:
    base = table.changed(table.BASES["Strategy"], update.base)
    body = manifest("Strategy", base)
    made = await kube.create(res.STRATEGY, body)
    name = body["metadata"]["name"]
    await kube.patch(res.STRATEGY, name, {"status": {"phase": "Bought"}}, namespace="default", subresource="status")
    held = await kube.get(res.STRATEGY, name, namespace="default")
    wanted = held | {"spec": table.changed(held["spec"], update.change)}
    if update.message is None:
        await kube.replace(res.STRATEGY, wanted)
    else:
        with pytest.raises(InvalidError) as caught:
            await kube.replace(res.STRATEGY, wanted)
        assert update.message in {cause.message.split(": ", 2)[-1] for cause in caught.value.causes} or (
            update.message in str(caught.value)
        )
    # The model says the same, but for a missing stop, which makes no model at all.
    if "stopLoss" in wanted["spec"]:
        messages = broken_transitions(Strategy.model_validate(held), Strategy.model_validate(wanted | {"status": None}))
        assert (messages == []) == (update.message is None)
        assert update.message is None or update.message in messages
    # The same update of a strategy without a position breaks no transition rule.
    fresh = Strategy.model_validate(made)
    if "stopLoss" in wanted["spec"]:
        assert broken_transitions(fresh, Strategy.model_validate(wanted | {"status": None})) == []


async def test_anything_may_change_without_a_position(kube: KubeClient) -> None:
    body = manifest("Strategy", table.BASES["Strategy"])
    made = await kube.create(res.STRATEGY, body)
    made["spec"] |= {"symbol": "TCS", "quantity": 1, "stopLoss": {"points": 50}}
    await kube.replace(res.STRATEGY, made)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("BrokerAccount", {"broker": "dhan"}, "broker cannot change"),
        ("BrokerAccount", {"clientId": "ZZ9"}, "clientId cannot change"),
        ("BrokerAccount", {"environment": "Simulator"}, "environment cannot change"),
        ("Tenant", {"owner": "usr_01hzy3v5w8k2m4n6p8q0r2s4t7"}, "owner cannot change"),
    ],
)
async def test_what_never_changes(kube: KubeClient, kind: str, change: dict[str, Any], message: str) -> None:
    made = await kube.create(RESOURCES[kind], manifest(kind, table.BASES[kind]))
    with pytest.raises(InvalidError, match=message):
        await kube.replace(RESOURCES[kind], made | {"spec": made["spec"] | change})


async def test_defaults_are_those_of_the_models(kube: KubeClient) -> None:
    for kind, base in table.BASES.items():
        made = await kube.create(RESOURCES[kind], manifest(kind, base))
        model = MODELS[kind].model_validate(manifest(kind, base))
        own = model.model_dump(mode="json", by_alias=True, exclude_none=True)["spec"]
        stored = MODELS[kind].model_validate(made).model_dump(mode="json", by_alias=True, exclude_none=True)["spec"]
        assert stored == own
        assert set(made["spec"]) == set(own)


async def test_a_name_that_makes_no_pod_or_service_is_refused(kube: KubeClient) -> None:
    for kind, limit in (("Strategy", 59), ("BrokerAccount", 55), ("Tenant", 58)):
        await kube.create(RESOURCES[kind], manifest(kind, table.BASES[kind], "a" * limit))
        with pytest.raises(InvalidError, match="the name must have at most"):
            await kube.create(RESOURCES[kind], manifest(kind, table.BASES[kind], "a" * (limit + 1)))
        with pytest.raises(InvalidError, match="no dots"):
            await kube.create(RESOURCES[kind], manifest(kind, table.BASES[kind], "a.b"))


def _kubectl(server: ApiServer, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(server.kubectl()), "--kubeconfig", str(server.kubeconfig), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)


def test_kubectl_apply_without_stop_loss_tells_the_trader_why(apiserver: ApiServer) -> None:
    body = manifest("Strategy", table.changed(table.BASES["Strategy"], {"stopLoss": table.DELETE}), "no-stop")
    done = _kubectl(apiserver, "apply", "-f", "-", stdin=yaml.safe_dump(body))
    assert done.returncode == 1
    assert done.stderr.strip() == (
        'The Strategy "no-stop" is invalid: spec: Invalid value: ' + table.STOP_LOSS_REQUIRED
    )


@pytest.mark.parametrize("path", SAMPLES_FOR_USERS, ids=lambda path: path.name)
def test_samples_for_users_are_taken(apiserver: ApiServer, path: Path) -> None:
    _kubectl(apiserver, "create", "namespace", "algo-acme")
    done = _kubectl(apiserver, "apply", "--dry-run=server", "--validate=strict", "-f", str(path))
    assert done.returncode == 0, done.stderr


def test_kubectl_shows_columns_and_short_names(apiserver: ApiServer) -> None:
    body = manifest("Strategy", table.BASES["Strategy"], "columns")
    assert _kubectl(apiserver, "apply", "-f", "-", stdin=yaml.safe_dump(body)).returncode == 0
    header = _kubectl(apiserver, "get", "strat", "columns").stdout.splitlines()[0].split()
    assert header == ["NAME", "PHASE", "SYMBOL", "QTY", "STOP", "LAST", "P&L", "PROTECTED", "MODE", "AGE"]
    for short in ("brk", "src", "tnt", "algo"):
        assert _kubectl(apiserver, "get", short).returncode == 0
    explained = " ".join(_kubectl(apiserver, "explain", "strategy.spec.stopLoss").stdout.split())
    assert "no strategy trades without a stop-loss" in explained


def test_session_secret_name() -> None:
    base = table.BASES["BrokerAccount"]
    assert session_secret_name("main", base) == "main-session"
    assert session_secret_name("main", base | {"sessionSecretRef": {"name": "own"}}) == "own"
