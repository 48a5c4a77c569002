"""What probes offer."""

from dataclasses import dataclass
from typing import Protocol

from algo_api.health.schemas import Readiness


class Ready(Protocol):
    """Asks what the API needs; never raises."""

    async def __call__(self) -> Readiness: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthService:
    """Probes."""

    ready: Ready
