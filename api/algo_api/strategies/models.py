"""Table of strategies: a projection of the Strategy resources, so that history outlives them."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.projected import Projected
from algo_api.tables import Base


class Strategy(Projected, Base):
    """Projection of a Strategy resource."""

    __tablename__ = "strategies"

    symbol: Mapped[str] = mapped_column(String(64))
    desired_state: Mapped[str] = mapped_column(String(16))
