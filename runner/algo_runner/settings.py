"""What a runner is told by its pod: the environment, two mounted secrets, and the claims of its own token.

The token names the strategy, account, epoch and instrument, so that a runner can reach its gateway before it has read
anything from Redis. The runner does not verify the signature: that is the gateway's business, which holds the key.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
from algo_crds.contracts.constants import SHELL, ShellConstants
from algo_crds.contracts.tokens import RunnerClaims
from algo_crds.contracts.wire import RUNNER_PATH

REDIS_PASSWORD_FILE: Final = "/var/run/algo/redis/password"  # noqa: S105 (a path)
TOKEN_FILE: Final = "/var/run/algo/token/token"  # noqa: S105 (a path)
HEALTH_PORT: Final = 8081
_claims: Final = msgspec.json.Decoder(RunnerClaims)


class SettingsError(Exception):
    """The pod is configured in a way that the runner cannot start with; the message names the variable or file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Configuration of one runner process. Secrets stay in files and are read when a connection is made."""

    strategy_id: str
    redis_host: str
    redis_port: int
    redis_database: int
    redis_username: str
    redis_password_file: Path
    gateway_url: str
    token_file: Path
    health_port: int
    crash_dir: Path | None = None
    constants: ShellConstants = field(default=SHELL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The runner's token and what it claims."""

    text: str = field(repr=False)
    claims: RunnerClaims


def load(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment of the pod.

    Raises:
        SettingsError: a variable is missing or malformed.
    """
    redis = urlsplit(_required(environment, "REDIS_URL"))
    if redis.scheme != "redis" or redis.hostname is None or redis.password is not None:
        raise SettingsError("REDIS_URL must look like redis://host:port/0, without user and password in it")
    gateway = _required(environment, "GATEWAY_URL").rstrip("/")
    if urlsplit(gateway).scheme not in ("ws", "wss"):
        raise SettingsError("GATEWAY_URL must begin with ws:// or wss://")
    crash_dir = environment.get("ALGO_CRASH_DIR")
    return Settings(
        strategy_id=_required(environment, "STRATEGY_ID"),
        redis_host=redis.hostname,
        redis_port=redis.port or 6379,
        redis_database=_number("REDIS_URL", redis.path.strip("/") or "0"),
        redis_username=environment.get("REDIS_USERNAME", "default"),
        redis_password_file=Path(environment.get("REDIS_PASSWORD_FILE", REDIS_PASSWORD_FILE)),
        gateway_url=gateway,
        token_file=Path(environment.get("RUNNER_TOKEN_FILE", TOKEN_FILE)),
        health_port=_number("HEALTH_PORT", environment.get("HEALTH_PORT", str(HEALTH_PORT))),
        crash_dir=Path(crash_dir) if crash_dir else None,
    )


def read_token(path: Path, strategy_id: str) -> Token:
    """The token of the pod's secret.

    Raises:
        SettingsError: the file is absent, no token, or belongs to another strategy.
    """
    text = read_secret(path)
    parts = text.split(".")
    if len(parts) != 3:
        raise SettingsError(f"{path} holds no signed token; the operator writes it into the runner's secret")
    try:
        claims = _claims.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, msgspec.DecodeError) as error:
        raise SettingsError(f"{path} holds a token whose claims cannot be read") from error
    if claims.sub != strategy_id:
        raise SettingsError(f"{path} holds a token of {claims.sub}, but STRATEGY_ID is {strategy_id}")
    return Token(text=text, claims=claims)


def read_secret(path: Path) -> str:
    """A secret's text without the line end.

    Raises:
        SettingsError: the file cannot be read.
    """
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}; is the secret mounted?") from error


def runner_url(settings: Settings, claims: RunnerClaims) -> str:
    """The address of this strategy's connection to the gateway."""
    query = f"exchange={quote(claims.exchange)}&symbol={quote(claims.symbol, safe='')}&product={quote(claims.product)}"
    return f"{settings.gateway_url}{RUNNER_PATH}?{query}"


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(f"{name} must hold a number, not {text!r}") from error
