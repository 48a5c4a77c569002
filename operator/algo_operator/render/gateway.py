"""A broker account's gateway: pod, Service, Secret, session Secret and the Role by which the API may fill it."""

from collections.abc import Mapping
from dataclasses import dataclass

from algo_operator.render.metadata import labels, manifest
from algo_operator.render.pods import Container, Mount, Resources, pod, template
from algo_operator.render.runner import encode_secret
from algo_operator.settings import PodSettings, SimulatorSettings
from algo_operator.vocabulary import (
    GATEWAY,
    LABEL_ACCOUNT,
    LABEL_COMPONENT,
    OPERATOR_KEY,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    Manifest,
    gateway_name,
    watched_name,
)

RESOURCES = Resources(cpu="50m", memory="96Mi", memory_limit="384Mi")
PORT = 8080
ADMIN_PORT = 8081
"""`POST /halt`: the operator's own way to the door."""
SESSION_KEY = "session.json"
SIMULATOR_ENVIRONMENT = "Simulator"
PAPER = "paper"
WATCHED_PATH = "/var/run/algo/watched"
WATCHED_KEY = "symbols"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayInput:
    """All that a gateway's objects are made of."""

    account: Manifest
    account_id: str
    tenant: str
    broker: str
    client_id: str
    environment: str
    session_secret: str
    source_id: str
    world: str = ""
    """Paper accounts: the world that their ticks come from."""
    orders_per_second: int = 8
    egress_proxy: str = ""
    registered_address: str = ""
    algo_id: str = ""
    redis_username: str

    @property
    def name(self) -> str:
        """Name of the BrokerAccount resource."""
        return str(self.account["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Namespace of everything."""
        return str(self.account["metadata"]["namespace"])

    @property
    def simulated(self) -> bool:
        """Whether the account lives in the simulator (its orders or only its ticks)."""
        return self.broker == PAPER or self.environment == SIMULATOR_ENVIRONMENT

    def labels(self) -> dict[str, str]:
        """Labels of every object of the account."""
        return labels(tenant=self.tenant, component=GATEWAY, extra={LABEL_ACCOUNT: self.name})


def render_gateway_pod(gateway: GatewayInput, pods: PodSettings, simulator: SimulatorSettings | None) -> Manifest:
    """The pod. `simulator` is needed for a simulated account and ignored for any other."""
    secret = gateway_name(gateway.name)
    mounts = [
        Mount(name="redis", path="/var/run/algo/redis", secret=secret, keys=("password",)),
        Mount(name="session", path="/var/run/algo/session", secret=gateway.session_secret, optional=True),
        Mount(name="keys", path="/var/run/algo/keys", config_map=OPERATOR_KEY),
        Mount(name="watched", path=WATCHED_PATH, config_map=watched_name(gateway.name), optional=True),
    ]
    env = _environment(gateway, pods)
    if gateway.simulated and simulator is not None:
        env |= _simulator_environment(gateway, simulator)
        mounts.append(Mount(name="world", path="/var/run/algo/world", secret=secret, keys=("world-token",)))
    container = Container(
        name=GATEWAY,
        module="algo_gateway",
        env={key: value for key, value in env.items() if value},
        port=PORT,
        port_name="http",
        mounts=mounts,
        resources=RESOURCES,
    )
    return pod(
        secret,
        template(container, pods),
        namespace=gateway.namespace,
        labels=gateway.labels(),
        owner=gateway.account,
    )


def render_gateway_service(gateway: GatewayInput) -> Manifest:
    """The Service. It lists addresses that are not ready too: the door answers (and refuses) before it is logged in."""
    return manifest(
        SERVICE,
        gateway_name(gateway.name),
        namespace=gateway.namespace,
        labels=gateway.labels(),
        owner=gateway.account,
        spec={
            "type": "ClusterIP",
            "publishNotReadyAddresses": True,
            "selector": {LABEL_COMPONENT: GATEWAY, LABEL_ACCOUNT: gateway.name},
            "ports": [
                {"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"},
                {"name": "admin", "port": ADMIN_PORT, "targetPort": ADMIN_PORT, "protocol": "TCP"},
            ],
        },
    )


def render_gateway_secret(gateway: GatewayInput, *, password: str, world_token: str) -> Manifest:
    """Redis password and, for a simulated account, the token of the simulator's clock."""
    data = {"password": encode_secret(password)}
    if gateway.simulated and world_token:
        data["world-token"] = encode_secret(world_token)
    return manifest(
        SECRET,
        gateway_name(gateway.name),
        namespace=gateway.namespace,
        labels=gateway.labels(),
        owner=gateway.account,
        type="Opaque",
        data=data,
    )


def render_session_secret(gateway: GatewayInput) -> Manifest:
    """The empty session Secret; made once, then only the API writes it."""
    return manifest(
        SECRET,
        gateway.session_secret,
        namespace=gateway.namespace,
        labels=gateway.labels(),
        owner=gateway.account,
        type="Opaque",
        data={SESSION_KEY: encode_secret("{}")},
    )


def render_session_role(gateway: GatewayInput) -> Manifest:
    """A Role for exactly this Secret: no one may list the Secrets of a tenant."""
    rules = [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": [gateway.session_secret],
            "verbs": ["get", "patch", "update"],
        }
    ]
    return manifest(
        ROLE,
        gateway.session_secret,
        namespace=gateway.namespace,
        labels=gateway.labels(),
        owner=gateway.account,
        rules=rules,
    )


def render_session_binding(gateway: GatewayInput, *, service_account: str, service_namespace: str) -> Manifest:
    """Gives that Role to the API's service account."""
    return manifest(
        ROLE_BINDING,
        gateway.session_secret,
        namespace=gateway.namespace,
        labels=gateway.labels(),
        owner=gateway.account,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": gateway.session_secret},
        subjects=[{"kind": "ServiceAccount", "name": service_account, "namespace": service_namespace}],
    )


def _environment(gateway: GatewayInput, pods: PodSettings) -> dict[str, str]:
    return {
        "ACCOUNT_ID": gateway.account_id,
        "ACCOUNT_NAME": f"{gateway.namespace}/{gateway.name}",
        "BROKER": gateway.broker,
        "CLIENT_ID": gateway.client_id,
        "ENVIRONMENT": gateway.environment,
        "SESSION_FILE": f"/var/run/algo/session/{SESSION_KEY}",
        "TOKEN_PUBLIC_KEY_FILE": "/var/run/algo/keys/operator.pub",
        "REDIS_URL": pods.redis_url,
        "REDIS_USERNAME": gateway.redis_username,
        "REDIS_PASSWORD_FILE": "/var/run/algo/redis/password",
        "ORDERS_PER_SECOND": str(gateway.orders_per_second),
        "EGRESS_PROXY": gateway.egress_proxy,
        "REGISTERED_ADDRESS": gateway.registered_address,
        "ADDRESS_CHECK_URL": "" if gateway.simulated else pods.address_check_url,
        "ALGO_ID": gateway.algo_id,
        "SOURCE_ID": gateway.source_id,
        "WATCHED_FILE": f"{WATCHED_PATH}/{WATCHED_KEY}",
        "HEALTH_PORT": str(PORT),
        "PORT": str(PORT),
        "PYTHONUNBUFFERED": "1",
    }


def _simulator_environment(gateway: GatewayInput, simulator: SimulatorSettings) -> Mapping[str, str]:
    clock = {
        "WORLD_CLOCK_URL": simulator.control_url.replace("http", "ws", 1) + "/clock",
        "WORLD_TOKEN_FILE": "/var/run/algo/world/world-token",
    }
    if gateway.broker == PAPER:
        return {**clock, "WORLD": gateway.world}
    return {
        **clock,
        "SIMULATED_BROKER_URL": simulator.brokers.get(gateway.broker, ""),
        "ADDRESS_CHECK_URL": f"{simulator.control_url}/address",
    }
