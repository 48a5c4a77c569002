"""With the rights that the platform gives it and no more: a new tenant's namespace opens to the API step by step."""

import asyncio
from pathlib import Path
from typing import Any

import yaml
from algo_api.settings import Settings
from algo_kube.contract import KubeClient
from algo_kube.resources import CLUSTER_ROLE, NAMESPACE, ROLE_BINDING, SERVICE_ACCOUNT, TENANT, Resource
from algo_local.controlplane import ApiServer

_BINDING = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
_SUBJECT = {"kind": "ServiceAccount", "name": "weak-api", "namespace": "default"}
_WRITE = ["get", "list", "watch", "create", "patch", "update", "delete"]


def _ref(name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}


async def weak_kubeconfig(kube: KubeClient, apiserver: ApiServer, folder: Path) -> Path:
    """A kubeconfig of a service account that may make tenants and read the kinds, nothing else."""
    rules = [
        {
            "apiGroups": ["algo.trading"],
            "resources": ["strategies", "brokeraccounts"],
            "verbs": ["get", "list", "watch"],
        },
        {"apiGroups": ["algo.trading"], "resources": ["tenants"], "verbs": ["get", "create", "patch"]},
    ]
    tenant_rules = [{"apiGroups": ["algo.trading"], "resources": ["strategies", "brokeraccounts"], "verbs": _WRITE}]
    await kube.create(SERVICE_ACCOUNT, {"metadata": {"name": "weak-api", "namespace": "default"}})
    await kube.create(CLUSTER_ROLE, {"metadata": {"name": "weak-api"}, "rules": rules})
    await kube.create(CLUSTER_ROLE, {"metadata": {"name": "weak-api-tenant"}, "rules": tenant_rules})
    await kube.create(_BINDING, {"metadata": {"name": "weak-api"}, "roleRef": _ref("weak-api"), "subjects": [_SUBJECT]})
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = "/api/v1/namespaces/default/serviceaccounts/weak-api/token"
    token = (await kube.raw("POST", path, body=body))["status"]["token"]
    config = yaml.safe_load(apiserver.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    target = folder / "weak"
    target.write_text(yaml.safe_dump(config))
    return target


async def test_a_write_waits_for_namespace_and_rights(
    settings: Settings, serve: Any, make_trader: Any, kube: KubeClient, apiserver: ApiServer, tmp_path: Path,
    short_form: dict[str, Any], poll: Any,
) -> None:  # fmt: skip
    config = await weak_kubeconfig(kube, apiserver, tmp_path)
    patient = settings.model_copy(update={"kubeconfig": config, "namespace_wait_seconds": 15.0})
    async with serve(patient) as url:
        trader = await make_trader(url, with_namespace=False)
        assert (await kube.get(TENANT, trader.tenant_id.replace("_", "-")))["spec"]["owner"] == trader.id
        request = asyncio.create_task(trader.http.post("/strategies", json=short_form))
        done, _ = await asyncio.wait({request}, timeout=0.5)
        assert not done, "without a namespace it waits"
        await kube.create(NAMESPACE, {"metadata": {"name": trader.namespace}})
        done, _ = await asyncio.wait({request}, timeout=0.5)
        assert not done, "without rights it waits"
        binding = {
            "metadata": {"name": "algo-api", "namespace": trader.namespace},
            "roleRef": _ref("weak-api-tenant"),
            "subjects": [_SUBJECT],
        }
        await kube.create(ROLE_BINDING, binding)
        answer = await request
    assert answer.status_code == 201, answer.text
