"""Settings of the simulator process, from the environment."""

from collections.abc import Mapping
from pathlib import Path

import msgspec


class SettingsError(ValueError):
    """A variable is missing or cannot be read; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the servers listen and how large worlds may grow."""

    token: str
    host: str = "0.0.0.0"  # noqa: S104 - it serves other pods
    control_port: int = 9000
    zerodha_port: int = 9010
    max_worlds: int = 64
    max_upload: int = 16 * 1024 * 1024

    def __repr__(self) -> str:
        return f"Settings(host={self.host!r}, control_port={self.control_port}, zerodha_port={self.zerodha_port})"


def read_settings(env: Mapping[str, str]) -> Settings:
    """Settings from `SIMULATOR_TOKEN_FILE`, `SIMULATOR_HOST`, `CONTROL_PORT`, `ZERODHA_PORT`, `MAX_WORLDS`.

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
    return Settings(
        token=token,
        host=env.get("SIMULATOR_HOST", "0.0.0.0"),  # noqa: S104
        control_port=_number(env, "CONTROL_PORT", 9000),
        zerodha_port=_number(env, "ZERODHA_PORT", 9010),
        max_worlds=_number(env, "MAX_WORLDS", 64),
    )


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal():
        raise SettingsError(f"{name} must be a number, not {text!r}")
    return int(text)
