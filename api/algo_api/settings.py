"""The API's configuration: environment variables, read once at start; nothing else reads the environment."""

import base64
import binascii
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_KEY_BYTES = 32
_MIN_JWT_BYTES = 32


class Settings(BaseSettings):
    """Everything the process needs to know. Secrets are `SecretStr`: they never appear in a repr or a log."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    database_url: SecretStr
    """PostgreSQL as the application role: not the owner, no BYPASSRLS."""
    database_owner_url: SecretStr | None = None
    """PostgreSQL as the owner; used by migrations only."""
    database_pool: int = 10

    redis_url: str = "redis://127.0.0.1:6379/0"
    redis_username: str | None = None
    redis_password: SecretStr | None = None
    redis_password_file: Path | None = None

    jwt_secret_key: SecretStr
    """At least 32 bytes; signs access tokens (HS256)."""
    access_token_seconds: int = 900
    refresh_token_seconds: int = 30 * 24 * 3600

    aes_master_key: SecretStr
    """32 bytes in base64; encrypts broker credentials."""
    aes_key_version: int = 1
    aes_previous_keys: Annotated[dict[int, SecretStr], NoDecode] = Field(default_factory=dict)
    """Older keys as `1:base64,2:base64`: read with, never written with."""

    simulator_broker_urls: dict[str, str] = Field(default_factory=dict)
    """Simulated brokers as this process reaches them, by broker (JSON); empty where there is no simulator."""
    simulator_login_urls: dict[str, str] = Field(default_factory=dict)
    """The same as a browser reaches them; where one is missing, the address above."""

    instrument_exchanges: tuple[str, ...] = ("NFO", "NSE")
    """Exchanges whose lists are loaded (JSON)."""
    instrument_brokers: tuple[str, ...] = ()
    """Brokers whose lists are loaded (JSON). Empty: all simulated ones, or all real ones without a simulator."""
    freeze_quantities_file: Path | None = None
    """NSE's freeze quantities (CSV), where somebody keeps them; read at every load."""

    kubeconfig: Path | None = None
    """Unset: the pod's own service account."""

    public_url: str = "http://127.0.0.1:8000"
    """Where browsers reach this API; broker logins return to it."""
    host: str = "0.0.0.0"  # noqa: S104 - a pod serves its own network namespace
    port: int = 8000

    namespace_wait_seconds: float = 10.0
    login_attempts_per_minute: int = 10
    """For one e-mail address; one client address has five times as many."""
    registrations_per_hour: int = 60
    """For one client address."""
    background: bool = True
    """Run projection and recorder in this process (one leader among replicas)."""

    @field_validator("jwt_secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value().encode()) < _MIN_JWT_BYTES:
            raise ValueError("must have at least 32 bytes; make one: openssl rand -base64 48")
        return value

    @field_validator("aes_master_key")
    @classmethod
    def _is_aes_key(cls, value: SecretStr) -> SecretStr:
        decode_key(value)
        return value

    @field_validator("aes_previous_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, str):
            pairs = (part.split(":", 1) for part in value.split(",") if part.strip())
            return {int(version): SecretStr(key) for version, key in pairs}
        return value

    def redis_secret(self) -> str | None:
        """The Redis password, from its file where one is named."""
        if self.redis_password_file is not None:
            return self.redis_password_file.read_text().strip()
        return self.redis_password.get_secret_value() if self.redis_password else None

    def credential_keys(self) -> dict[int, bytes]:
        """AES keys by version, the current one among them."""
        older = {version: decode_key(key) for version, key in self.aes_previous_keys.items()}
        return {**older, self.aes_key_version: decode_key(self.aes_master_key)}


def decode_key(value: SecretStr) -> bytes:
    """The 32 bytes of an AES key in base64.

    Raises:
        ValueError: another length, or no base64.
    """
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("must be base64; make one: openssl rand -base64 32") from error
    if len(key) != _KEY_BYTES:
        raise ValueError("must be 32 bytes in base64; make one: openssl rand -base64 32")
    return key


def async_url(url: SecretStr) -> str:
    """The address for SQLAlchemy's asyncpg dialect, whatever PostgreSQL scheme it came with."""
    text = url.get_secret_value()
    for scheme in ("postgresql+asyncpg://", "postgresql://", "postgres://"):
        if text.startswith(scheme):
            return "postgresql+asyncpg://" + text.removeprefix(scheme)
    raise ValueError("DATABASE_URL must start with postgresql://")
