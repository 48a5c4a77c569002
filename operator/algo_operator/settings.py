"""The operator's configuration, all from the environment, read once.

Nothing else reads `os.environ`; a component gets the values it needs as arguments.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

GATEWAY_URL_TEMPLATE = "http://{name}.{namespace}.svc:8081"


class SettingsError(ValueError):
    """An environment variable is missing or has a wrong value; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSettings:
    """What runner and gateway pods have in common."""

    image: str
    image_pull_policy: str = "IfNotPresent"
    redis_url: str
    """As the pods see it, without credentials."""
    address_check_url: str = ""
    """Service that tells gateways of real accounts which address they call from; empty: not checked."""
    crash_points: bool = False
    """Gives pods an empty folder `ALGO_CRASH_DIR` (recovery tests only)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """Where the simulator is; the only source of its addresses, so a resource can never point a gateway elsewhere."""

    control_url: str
    brokers: Mapping[str, str]
    """Base address by broker; a broker that is not in it has no simulated environment."""
    token_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """The operator's own connection, and who makes users."""

    url: str
    username: str = ""
    password_file: str = ""
    manage_users: bool = True
    """False where the service forbids ACL commands; then pods get `shared_username` and its password."""
    shared_username: str = ""
    shared_password_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenancySettings:
    """Names of what the chart made and tenants' namespaces bind to."""

    api_service_account: str = "algo-api"
    operator_service_account: str = "algo-operator"
    api_cluster_role: str = ""
    """ClusterRole bound to the API's service account in every tenant namespace; empty: none."""
    operator_cluster_role: str = ""
    """ClusterRole bound to the operator's service account in every tenant namespace; empty: none."""
    dns_cidrs: tuple[str, ...] = ("169.254.20.10/32",)
    """Addresses of DNS servers outside kube-system (node-local)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the process needs to know."""

    namespace: str
    identity: str
    signing_key_file: str
    pods: PodSettings
    redis: RedisSettings
    simulator: SimulatorSettings | None = None
    tenancy: TenancySettings = field(default_factory=TenancySettings)
    gateway_url_template: str = GATEWAY_URL_TEMPLATE
    health_port: int = 8081
    workers: int = 16
    resync_seconds: float = 300.0
    sweep_seconds: float = 10.0
    leader_election: bool = True
    deletion_deadline_seconds: float = 600.0


def load_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment.

    Raises:
        SettingsError: a required variable is missing or a number is no number.
    """
    redis_url = _required(env, "REDIS_URL")
    return Settings(
        namespace=env.get("OPERATOR_NAMESPACE") or "algo-system",
        identity=env.get("POD_NAME") or f"operator-{os.getpid()}",
        signing_key_file=_required(env, "TOKEN_SIGNING_KEY_FILE"),
        pods=PodSettings(
            image=_required(env, "IMAGE"),
            image_pull_policy=env.get("IMAGE_PULL_POLICY") or "IfNotPresent",
            redis_url=env.get("RUNTIME_REDIS_URL") or redis_url,
            address_check_url=env.get("ADDRESS_CHECK_URL", ""),
            crash_points=_flag(env, "CRASH_POINTS"),
        ),
        redis=RedisSettings(
            url=redis_url,
            username=env.get("REDIS_USERNAME", ""),
            password_file=env.get("REDIS_PASSWORD_FILE", ""),
            manage_users=(env.get("REDIS_USERS") or "managed") == "managed",
            shared_username=env.get("REDIS_SHARED_USERNAME", ""),
            shared_password_file=env.get("REDIS_SHARED_PASSWORD_FILE", ""),
        ),
        simulator=_simulator(env),
        tenancy=_tenancy(env),
        gateway_url_template=env.get("GATEWAY_URL_TEMPLATE") or GATEWAY_URL_TEMPLATE,
        health_port=int(_number(env, "HEALTH_PORT", 8081)),
        workers=int(_number(env, "WORKERS", 16)),
        resync_seconds=_number(env, "RESYNC_SECONDS", 300),
        sweep_seconds=_number(env, "SWEEP_SECONDS", 10),
        leader_election=_flag(env, "LEADER_ELECTION", default=True),
        deletion_deadline_seconds=_number(env, "DELETION_DEADLINE_SECONDS", 600),
    )


def _simulator(env: Mapping[str, str]) -> SimulatorSettings | None:
    if not _flag(env, "SIMULATOR_ENABLED"):
        return None
    brokers = _addresses(env, "SIMULATOR_BROKER_URLS")
    return SimulatorSettings(
        control_url=_required(env, "SIMULATOR_CONTROL_URL").rstrip("/"),
        brokers=brokers,
        token_file=_required(env, "SIMULATOR_TOKEN_FILE"),
    )


def _addresses(env: Mapping[str, str], name: str) -> Mapping[str, str]:
    text = _required(env, name)
    try:
        return {broker: url.rstrip("/") for broker, url in msgspec.json.decode(text, type=dict[str, str]).items()}
    except msgspec.MsgspecError:
        raise SettingsError(
            f'{name} must be a JSON object of addresses by broker: {{"zerodha": "http://..."}}'
        ) from None


def _tenancy(env: Mapping[str, str]) -> TenancySettings:
    cidrs = tuple(part.strip() for part in env.get("DNS_CIDRS", "169.254.20.10/32").split(",") if part.strip())
    return TenancySettings(
        api_service_account=env.get("API_SERVICE_ACCOUNT") or "algo-api",
        operator_service_account=env.get("OPERATOR_SERVICE_ACCOUNT") or "algo-operator",
        api_cluster_role=env.get("API_TENANT_CLUSTER_ROLE", ""),
        operator_cluster_role=env.get("OPERATOR_TENANT_CLUSTER_ROLE", ""),
        dns_cidrs=cidrs,
    )


def _required(env: Mapping[str, str], name: str) -> str:
    if not (value := env.get(name, "")):
        raise SettingsError(f"set the environment variable {name}")
    return value


def _flag(env: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    value = env.get(name, "").lower()
    return default if not value else value in {"1", "true", "yes", "on"}


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(env.get(name) or default)
    except ValueError as error:
        raise SettingsError(f"{name} must be a number, not {env[name]!r}") from error
