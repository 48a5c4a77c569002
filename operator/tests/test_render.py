"""Rendering is pure; addresses of the simulator come from settings only; secrets stay out of digests and reprs."""

import base64
import dataclasses
from typing import Any

import pytest
from algo_operator.difference import contains, is_held
from algo_operator.render.gateway import GatewayInput, render_gateway_pod
from algo_operator.render.metadata import sealed
from algo_operator.render.policies import render_policies
from algo_operator.render.runner import RunnerInput, render_runner_pod, render_runner_secret
from algo_operator.render.tenant import TenantInput
from algo_operator.settings import PodSettings, SettingsError, SimulatorSettings, load_settings
from algo_operator.tokens import SigningKeyError, load_signing_key
from algo_operator.vocabulary import ANNOTATION_APPLIED, ANNOTATION_TEMPLATE, Manifest

PODS = PodSettings(image="algo:1", redis_url="redis://redis:6379/0")
SIMULATOR = SimulatorSettings(
    control_url="https://sim:9000",
    brokers={"zerodha": "http://sim:9010", "dhan": "http://sim:9011"},
    token_file="",
)


def resource(kind: str) -> Manifest:
    metadata = {"name": "one", "namespace": "algo-t", "uid": "u-1"}
    return {"apiVersion": "algo.trading/v1alpha1", "kind": kind, "metadata": metadata}


def runner(**changes: Any) -> RunnerInput:
    values: dict[str, Any] = {
        "strategy": resource("Strategy"),
        "strategy_id": "str_1",
        "tenant": "t",
        "account": "paper",
        "exchange": "NSE",
        "symbol": "TCS",
        "product": "Intraday",
        "redis_username": "run-str_1",
    }
    return RunnerInput(**{**values, **changes})


def gateway(**changes: Any) -> GatewayInput:
    values: dict[str, Any] = {
        "account": resource("BrokerAccount"),
        "account_id": "brk_1",
        "tenant": "t",
        "broker": "zerodha",
        "client_id": "AB1",
        "environment": "Production",
        "session_secret": "one-session",
        "source_id": "brk_1",
        "redis_username": "gw-brk_1",
    }
    return GatewayInput(**{**values, **changes})


def env(pod: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in pod["spec"]["containers"][0]["env"]}


def template(pod: Manifest) -> str:
    return str(pod["metadata"]["annotations"][ANNOTATION_TEMPLATE])


def test_a_runner_pod_is_restricted_and_knows_no_secret_but_its_mounts() -> None:
    pod = render_runner_pod(runner(), PODS, epoch=7)
    spec = pod["spec"]
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert env(pod)["GATEWAY_URL"] == "ws://gw-paper.algo-t.svc:8080"
    assert spec["restartPolicy"] == "Always"
    assert all("password" not in value.lower() or value.startswith("/") for value in env(pod).values())


def test_the_template_follows_what_the_token_says_but_not_the_epoch() -> None:
    first = template(render_runner_pod(runner(), PODS, epoch=1))
    assert template(render_runner_pod(runner(), PODS, epoch=2)) == first
    assert template(render_runner_pod(runner(symbol="INFY"), PODS, epoch=1)) != first
    assert template(render_runner_pod(runner(account="zed"), PODS, epoch=1)) != first
    other = PodSettings(image="algo:2", redis_url=PODS.redis_url)
    assert template(render_runner_pod(runner(), other, epoch=1)) != first


def test_a_real_account_never_gets_an_address_of_the_simulator() -> None:
    names = {"SIMULATED_BROKER_URL", "WORLD_CLOCK_URL", "WORLD_TOKEN_FILE", "WORLD"}
    assert not names & env(render_gateway_pod(gateway(), PODS, SIMULATOR)).keys()
    simulated = env(render_gateway_pod(gateway(environment="Simulator"), PODS, SIMULATOR))
    assert simulated["SIMULATED_BROKER_URL"] == "http://sim:9010"
    assert simulated["WORLD_CLOCK_URL"] == "wss://sim:9000/clock"
    paper = env(render_gateway_pod(gateway(broker="paper", world="w"), PODS, SIMULATOR))
    assert paper["WORLD"] == "w"
    assert "SIMULATED_BROKER_URL" not in paper


def test_the_service_that_tells_addresses_follows_the_environment() -> None:
    pods = dataclasses.replace(PODS, address_check_url="https://address.example/")
    real = env(render_gateway_pod(gateway(registered_address="203.0.113.1"), pods, SIMULATOR))
    assert (real["ADDRESS_CHECK_URL"], real["REGISTERED_ADDRESS"]) == ("https://address.example/", "203.0.113.1")
    simulated = env(render_gateway_pod(gateway(environment="Simulator"), pods, SIMULATOR))
    assert simulated["ADDRESS_CHECK_URL"] == f"{SIMULATOR.control_url}/address"
    for other in (gateway(broker="paper", world="w"), gateway()):
        assert "ADDRESS_CHECK_URL" not in env(render_gateway_pod(other, PODS, SIMULATOR))


def test_the_list_of_watched_symbols_is_mounted_where_the_gateway_reads_it_and_need_not_exist() -> None:
    pod = render_gateway_pod(gateway(), PODS, SIMULATOR)
    (volume,) = (one for one in pod["spec"]["volumes"] if one["name"] == "watched")
    assert volume["configMap"] == {"name": "gw-one-watched", "defaultMode": 0o444, "optional": True}
    (mount,) = (one for one in pod["spec"]["containers"][0]["volumeMounts"] if one["name"] == "watched")
    assert env(pod)["WATCHED_FILE"] == f"{mount['mountPath']}/symbols"


def test_only_gateways_leave_the_cluster() -> None:
    tenant = TenantInput(name="t", owner="usr_1", max_strategies=1, cpu="1", memory="1Gi")
    policies = {
        one["metadata"]["name"]: one["spec"]
        for one in render_policies(tenant, system_namespace="algo-system", dns_cidrs=("169.254.20.10/32",))
    }
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert "ipBlock" not in str(policies["runner"])
    assert "0.0.0.0/0" in str(policies["gateway"])
    assert "ingress" not in policies["runner"]


def test_held_means_nothing_to_write() -> None:
    desired = render_runner_secret(runner(), password="p", token="t", epoch=1)
    stored = sealed(desired)
    stored = {**stored, "metadata": {**stored["metadata"], "uid": "x", "resourceVersion": "4"}}
    assert is_held(desired, stored)
    assert not is_held(desired, None)
    changed = {**stored, "data": {**stored["data"], "token": base64.b64encode(b"other").decode()}}
    assert not is_held(desired, changed)
    assert not is_held(render_runner_secret(runner(), password="p", token="t", epoch=2), stored)


def test_a_field_that_was_dropped_from_the_manifest_is_a_difference() -> None:
    with_field = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1", "b": "2"}}
    without = {**with_field, "data": {"a": "1"}}
    assert contains(sealed(with_field)["data"], without["data"])
    assert not is_held(without, sealed(with_field))


def test_the_digest_of_a_secret_does_not_depend_on_what_is_secret() -> None:
    digests = {
        sealed(render_runner_secret(runner(), password=word, token="t", epoch=1))["metadata"]["annotations"][
            ANNOTATION_APPLIED
        ]
        for word in ("one", "two")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("observed", "desired", "same"),
    [("2", "2000m", True), ("1Gi", "1024Mi", True), ("1", "2", False), ("v1", "v2", False), ("1G", "1Gi", False)],
)
def test_quantities_are_compared_as_amounts(observed: str, desired: str, same: bool) -> None:
    assert contains(observed, desired) is same


def test_settings_name_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="REDIS_URL"):
        load_settings({})
    complete = {"REDIS_URL": "redis://r", "TOKEN_SIGNING_KEY_FILE": "/k", "IMAGE": "i"}
    assert load_settings(complete).simulator is None
    with pytest.raises(SettingsError, match="SIMULATOR_BROKER_URLS"):
        load_settings({**complete, "SIMULATOR_ENABLED": "true"})
    with pytest.raises(SettingsError, match="JSON object"):
        load_settings({**complete, "SIMULATOR_ENABLED": "true", "SIMULATOR_BROKER_URLS": "http://sim"})
    with pytest.raises(SettingsError, match="WORKERS"):
        load_settings({**complete, "WORKERS": "many"})


def test_a_wrong_signing_key_is_explained(tmp_path: Any) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(SigningKeyError, match="Ed25519"):
        load_signing_key(str(path))
    path.write_text("no key")
    with pytest.raises(SigningKeyError, match="Ed25519"):
        load_signing_key(str(path))
