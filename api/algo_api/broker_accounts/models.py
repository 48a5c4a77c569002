"""Tables of broker accounts, their encrypted credentials and logins under way."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.projected import Projected
from algo_api.tables import ID_LENGTH, Audited, Base


class BrokerAccount(Projected, Base):
    """Projection of a BrokerAccount resource: history outlives the resource."""

    __tablename__ = "broker_accounts"
    __table_args__ = (
        Index(
            "uq_broker_accounts_client",
            "tenant_id",
            "broker",
            "client_id",
            "environment",
            unique=True,
            postgresql_where=text("deleted_at IS NULL AND client_id <> ''"),
        ),
    )

    broker: Mapped[str] = mapped_column(String(16))
    client_id: Mapped[str] = mapped_column(String(64), default="")
    environment: Mapped[str] = mapped_column(String(16))


class BrokerCredential(Audited, Base):
    """One secret of an account, encrypted; the row's own id is part of what it is bound to."""

    __tablename__ = "broker_credentials"
    __table_args__ = (UniqueConstraint("account_id", "field"),)

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    account_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("broker_accounts.id"))
    field: Mapped[str] = mapped_column(String(32))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    key_version: Mapped[int]


class BrokerLogin(Audited, Base):
    """A login at a broker that has been started; its state proves that the callback belongs to it, once."""

    __tablename__ = "broker_logins"

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    account_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("broker_accounts.id"), index=True)
    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    needs_state: Mapped[bool] = mapped_column(default=True)
    """False where the broker's redirect has no place for a state."""
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)
