"""A strategy's runner: its pod and the Secret with its token and Redis password."""

import base64
from dataclasses import dataclass

from algo_operator.render.metadata import labels, manifest
from algo_operator.render.pods import Container, Mount, Resources, pod, template
from algo_operator.settings import PodSettings
from algo_operator.vocabulary import (
    ANNOTATION_EPOCH,
    LABEL_ACCOUNT,
    LABEL_STRATEGY,
    RUNNER,
    SECRET,
    Manifest,
    gateway_name,
    runner_name,
)

RESOURCES = Resources(cpu="20m", memory="64Mi", memory_limit="192Mi")
HEALTH_PORT = 8081


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerInput:
    """All that a runner's objects are made of."""

    strategy: Manifest
    strategy_id: str
    tenant: str
    account: str
    """Name of the BrokerAccount."""
    exchange: str
    symbol: str
    product: str
    redis_username: str

    @property
    def name(self) -> str:
        """Name of the Strategy resource."""
        return str(self.strategy["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Namespace of everything."""
        return str(self.strategy["metadata"]["namespace"])

    def labels(self) -> dict[str, str]:
        """Labels of pod and Secret."""
        extra = {LABEL_STRATEGY: self.name, LABEL_ACCOUNT: self.account}
        return labels(tenant=self.tenant, component=RUNNER, extra=extra)


def render_runner_pod(runner: RunnerInput, pods: PodSettings, epoch: int) -> Manifest:
    """The pod. What its token says (account, symbol, product) counts as part of its template; its epoch does not."""
    secret = runner_name(runner.name)
    env = {
        "STRATEGY_ID": runner.strategy_id,
        "REDIS_URL": pods.redis_url,
        "REDIS_USERNAME": runner.redis_username,
        "REDIS_PASSWORD_FILE": "/var/run/algo/redis/password",
        "GATEWAY_URL": f"ws://{gateway_name(runner.account)}.{runner.namespace}.svc:8080",
        "RUNNER_TOKEN_FILE": "/var/run/algo/token/token",
        "HEALTH_PORT": str(HEALTH_PORT),
        "PYTHONUNBUFFERED": "1",
    }
    container = Container(
        name=RUNNER,
        module="algo_runner",
        env=env,
        port=HEALTH_PORT,
        port_name="health",
        mounts=(
            Mount(name="redis", path="/var/run/algo/redis", secret=secret, keys=("password",)),
            Mount(name="token", path="/var/run/algo/token", secret=secret, keys=("token",)),
        ),
        resources=RESOURCES,
    )
    return pod(
        secret,
        template(container, pods),
        namespace=runner.namespace,
        labels=runner.labels(),
        owner=runner.strategy,
        annotations={ANNOTATION_EPOCH: str(epoch)},
        made_from=[runner.exchange, runner.symbol, runner.product],
    )


def render_runner_secret(runner: RunnerInput, *, password: str, token: str, epoch: int) -> Manifest:
    """The Secret that the pod mounts."""
    return manifest(
        SECRET,
        runner_name(runner.name),
        namespace=runner.namespace,
        labels=runner.labels(),
        owner=runner.strategy,
        annotations={ANNOTATION_EPOCH: str(epoch)},
        type="Opaque",
        data={"password": encode_secret(password), "token": encode_secret(token)},
    )


def encode_secret(text: str) -> str:
    """A value of a Secret's `data`."""
    return base64.b64encode(text.encode()).decode()


def decode_secret(secret: Manifest | None, key: str) -> str:
    """A value of a Secret, empty if Secret or key is absent."""
    encoded = (secret or {}).get("data", {}).get(key, "")
    return base64.b64decode(encoded).decode() if encoded else ""
