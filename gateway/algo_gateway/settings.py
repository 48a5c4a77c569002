"""What the gateway reads from its environment, once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from algo_crds.contracts.constants import SHELL


class SettingsError(Exception):
    """A variable is missing or cannot be read; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One broker account. Paths are read later, because they may change (session) or come late."""

    account_id: str
    account_name: str
    broker: str
    client_id: str
    environment: str
    session_file: Path
    public_key_file: Path
    redis_url: str
    redis_username: str
    redis_password_file: Path
    orders_per_window: int
    egress_proxy: str
    registered_address: str
    address_check_url: str
    """Any service that answers with its caller's address as text; empty: which one is in use is not checked."""
    algo_id: str
    source_id: str
    simulated_broker_url: str
    """Base address of the simulated broker; empty: the real one."""
    market_socket_url: str
    """Where prices come from if not from the broker's usual address; empty: there."""
    world_clock_url: str
    world_token_file: Path | None
    world: str
    watched_file: Path | None
    """Symbols whose prices are copied though no runner trades them, `EXCHANGE:SYMBOL` a line; None: none."""
    port: int
    host: str
    crash_dir: Path | None

    @property
    def paper(self) -> bool:
        """Whether orders are matched here instead of sent."""
        return self.broker == "paper"

    @property
    def own_clock(self) -> bool:
        """Whether the market has its own clock, which waits for us."""
        return bool(self.world_clock_url)


def read_settings(env: Mapping[str, str]) -> Settings:
    """The settings in an environment.

    Raises:
        SettingsError: something is missing or malformed.
    """

    def need(name: str) -> str:
        value = env.get(name, "")
        if not value:
            raise SettingsError(f"{name} is not set; the operator sets it on the gateway's pod")
        return value

    def number(name: str, default: int) -> int:
        text = env.get(name) or str(default)
        if not text.isdecimal():
            raise SettingsError(f"{name} must be a whole number, not {text!r}")
        return int(text)

    account_id = need("ACCOUNT_ID")
    paper = need("BROKER") == "paper"
    if paper:
        need("WORLD_CLOCK_URL"), need("WORLD")
    world_token = env.get("WORLD_TOKEN_FILE", "")
    watched = env.get("WATCHED_FILE", "")
    crash = env.get("ALGO_CRASH_DIR", "")
    return Settings(
        account_id=account_id,
        account_name=env.get("ACCOUNT_NAME", account_id),
        broker=env["BROKER"],
        client_id=env.get("CLIENT_ID", ""),
        environment=env.get("ENVIRONMENT", "Production"),
        session_file=Path(env.get("SESSION_FILE", "/var/run/algo/session/session.json")),
        public_key_file=Path(env.get("TOKEN_PUBLIC_KEY_FILE", "/var/run/algo/keys/operator.pub")),
        redis_url=env.get("REDIS_URL", ""),
        redis_username=env.get("REDIS_USERNAME", ""),
        redis_password_file=Path(env.get("REDIS_PASSWORD_FILE", "/var/run/algo/redis/password")),
        orders_per_window=min(9, max(1, number("ORDERS_PER_SECOND", SHELL.orders_per_window))),
        egress_proxy=env.get("EGRESS_PROXY", ""),
        registered_address=env.get("REGISTERED_ADDRESS", ""),
        address_check_url=env.get("ADDRESS_CHECK_URL", ""),
        algo_id=env.get("ALGO_ID", ""),
        source_id=env.get("SOURCE_ID") or account_id,
        simulated_broker_url=env.get("SIMULATED_BROKER_URL", ""),
        market_socket_url=env.get("MARKET_SOCKET_URL", ""),
        world_clock_url=env.get("WORLD_CLOCK_URL", ""),
        world_token_file=Path(world_token) if world_token else None,
        world=env.get("WORLD", ""),
        watched_file=Path(watched) if watched else None,
        port=number("PORT", 8080),
        host=env.get("HOST", "0.0.0.0"),  # noqa: S104 - a pod serves its Service
        crash_dir=Path(crash) if crash else None,
    )
