"""Table of tenants."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.tables import ID_LENGTH, Audited, Base


class Tenant(Audited, Base):
    """A customer of the platform; `tenant_id` is its own id."""

    __tablename__ = "tenants"

    display_name: Mapped[str] = mapped_column(String(128))
    owner_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    resource: Mapped[str] = mapped_column(String(63), unique=True)
    """Name of the Tenant resource."""
