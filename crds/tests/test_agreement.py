"""Models and API server agree on specs that nobody thought of."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest
from algo_crds.resources.strategy import Strategy
from algo_kube import resources as res
from algo_kube.client import create_kube_client
from algo_kube.errors import KubeError
from algo_local.controlplane import ApiServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

pytestmark = pytest.mark.apiserver

NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 99.99, 100, 0.01, 0.001, 0.0001, 0.00001, 1e7, 1e7 + 0.0001, 2450.05, 0.1 + 0.2]),
    st.decimals(min_value="0.01", max_value="5000", places=2).map(float),
    st.floats(min_value=-10, max_value=2e7, allow_nan=False, allow_infinity=False),
)
TIMES = st.one_of(
    st.sampled_from(["09:20:00", "15:05:00", "24:00:00", "9:20:00", "", "09:20", "09:60:00", "०९:२०:००"]),
    st.times().map(lambda at: at.strftime("%H:%M:%S")),
)


def forms(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), NUMBERS, max_size=2)


SPECS = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["TCS", "M&M", "tcs", ""]),
        "quantity": st.sampled_from([1, 10, 0, -5, 10_000_000, 10_000_001]),
        "buyTime": TIMES,
        "sellTime": TIMES,
    },
    optional={
        "stopLoss": forms("price", "percent", "points"),
        "target": forms("price", "percent", "points"),
        "trailing": forms("percent", "points", "step"),
        "side": st.sampled_from(["Buy", "Sell", "Hold"]),
        "product": st.sampled_from(["Intraday", "Delivery"]),
        "mode": st.sampled_from(["Paper", "Live"]),
        "brokerAccountRef": st.sampled_from([{"name": "paper"}, {"name": "main"}, {"name": "-"}, {}]),
        "limits": st.dictionaries(st.sampled_from(["maxLossPerDay", "maxSlippagePercent"]), NUMBERS, max_size=2),
        "unknown": st.just(1),
    },
)


def _model_takes(body: dict[str, Any]) -> bool:
    try:
        Strategy.model_validate(body)
    except ValidationError:
        return False
    return True


def test_models_and_api_server_agree(apiserver: ApiServer) -> None:
    loop = asyncio.new_event_loop()
    kube = loop.run_until_complete(create_kube_client(Path(apiserver.kubeconfig)))
    query = {"fieldValidation": "Strict", "dryRun": "All"}
    seen = {True: 0, False: 0}

    async def server_takes(body: dict[str, Any]) -> str:
        try:
            await kube.raw("POST", res.STRATEGY.path("default"), body=body, query=query)
        except KubeError as error:
            if error.status not in (400, 422):
                raise
            return str(error)
        return ""

    # One numeric change of a valid spec, and whole random specs: the first reaches the borders, the second their mix.
    valid = {"symbol": "TCS", "quantity": 1, "buyTime": "09:20:00", "sellTime": "15:05:00", "stopLoss": {"percent": 1}}
    near = st.one_of(
        st.fixed_dictionaries({"stopLoss": forms("price", "percent", "points")}),
        st.fixed_dictionaries({"target": forms("price", "percent", "points")}),
        st.fixed_dictionaries({"buyTime": TIMES}),
    ).map(lambda change: valid | change)

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.one_of(near, SPECS))
    def agree(spec: dict[str, Any]) -> None:
        name = f"g-{secrets.token_hex(6)}"
        body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        refusal = loop.run_until_complete(
            server_takes({"apiVersion": "algo.trading/v1alpha1", "kind": "Strategy", **body})
        )
        taken = _model_takes(body)
        assert taken == (refusal == ""), refusal or "the API server takes what the model refuses"
        seen[taken] += 1

    try:
        agree()
    finally:
        loop.run_until_complete(kube.close())
        loop.close()
    assert seen[True] > 10
    assert seen[False] > 10
