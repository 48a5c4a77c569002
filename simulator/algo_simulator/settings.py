"""Settings of the simulator process, from the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

DEFAULT_PORTS: Final = {"zerodha": 9010, "dhan": 9011, "fyers": 9012, "angelone": 9013}


class SettingsError(ValueError):
    """A variable is missing or cannot be read; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the servers listen and how large worlds may grow."""

    token: str
    host: str = "0.0.0.0"  # noqa: S104 - it serves other pods
    control_port: int = 9000
    ports: dict[str, int] = msgspec.field(default_factory=lambda: dict(DEFAULT_PORTS))
    """By broker; a broker without a port is not served."""
    max_worlds: int = 64
    max_upload: int = 16 * 1024 * 1024

    def __repr__(self) -> str:
        return f"Settings(host={self.host!r}, control_port={self.control_port}, ports={self.ports})"


def read_settings(env: Mapping[str, str]) -> Settings:
    """Settings from `SIMULATOR_TOKEN_FILE`, `SIMULATOR_HOST`, `CONTROL_PORT`, `MAX_WORLDS`, and a port a broker:
    `ZERODHA_PORT`, `DHAN_PORT`, `FYERS_PORT`, `ANGELONE_PORT`. With none of the four, all are served where they
    usually are; otherwise only those that are named.

    Raises:
        SettingsError: the token file is missing or empty, or a number is none.
    """
    path = env.get("SIMULATOR_TOKEN_FILE")
    if not path:
        raise SettingsError("SIMULATOR_TOKEN_FILE must name the file with the control API's bearer token")
    try:
        token = Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"SIMULATOR_TOKEN_FILE {path} cannot be read: {error.strerror}") from error
    if not token:
        raise SettingsError(f"SIMULATOR_TOKEN_FILE {path} is empty")
    named = {broker: port for broker, port in DEFAULT_PORTS.items() if f"{broker.upper()}_PORT" in env}
    return Settings(
        token=token,
        host=env.get("SIMULATOR_HOST", "0.0.0.0"),  # noqa: S104
        control_port=_number(env, "CONTROL_PORT", 9000),
        ports={name: _number(env, f"{name.upper()}_PORT", port) for name, port in (named or DEFAULT_PORTS).items()},
        max_worlds=_number(env, "MAX_WORLDS", 64),
    )


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal():
        raise SettingsError(f"{name} must be a number, not {text!r}")
    return int(text)
