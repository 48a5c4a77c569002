"""A misspelt field is refused on every way into the cluster."""

import pytest
from algo_kube import resources as res
from algo_kube.contract import KubeClient
from algo_kube.errors import InvalidError

SPEC = {"symbol": "TCS", "quantity": 1, "buyTime": "09:20:00", "sellTime": "15:05:00", "stoploss": {"percent": 1}}


@pytest.mark.apiserver
async def test_server_side_apply_refuses_a_misspelt_field(kube: KubeClient) -> None:
    manifest = {"metadata": {"name": "misspelt", "namespace": "default"}, "spec": SPEC}
    with pytest.raises(InvalidError, match="stoploss: field not declared in schema"):
        await kube.apply(res.STRATEGY, manifest, field_manager="test")
