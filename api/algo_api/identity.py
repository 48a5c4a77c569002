"""Who is calling: what an access token says, and the roles that there are."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a user may do."""

    ADMIN = "Admin"
    USER = "User"
    BROKER = "Broker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A signed-in user."""

    user_id: str
    tenant_id: str
    role: Role
    expires_at: int
    """Unix second at which the token ends; a stream ends with it."""


class Owner(Protocol):
    """Whoever has a user and a tenant: a caller, a row."""

    @property
    def user_id(self) -> str: ...

    @property
    def tenant_id(self) -> str: ...
