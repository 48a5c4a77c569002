"""Table of strategies: a projection of the Strategy resources, so that history outlives them."""

from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.tables import ID_LENGTH, Audited, Base


class Strategy(Audited, Base):
    """Projection of a Strategy resource."""

    __tablename__ = "strategies"

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    namespace: Mapped[str] = mapped_column(String(63))
    resource: Mapped[str] = mapped_column(String(63))
    uid: Mapped[str] = mapped_column(String(36))
    generation: Mapped[int]
    resource_version: Mapped[int] = mapped_column(BigInteger)
    """Orders what a watch and an answer say of the same resource."""
    symbol: Mapped[str] = mapped_column(String(64))
    desired_state: Mapped[str] = mapped_column(String(16))
    spec: Mapped[dict[str, Any]]
    resource_status: Mapped[dict[str, Any]]
    deleting: Mapped[bool] = mapped_column(default=False)
