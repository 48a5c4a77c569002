"""Tables of users and their refresh tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.tables import ID_LENGTH, Audited, Base


class User(Audited, Base):
    """A person who may sign in."""

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_email", "email", unique=True, postgresql_where=text("deleted_at IS NULL")),)

    email: Mapped[str] = mapped_column(String(320))
    """In lower case."""
    name: Mapped[str] = mapped_column(String(128))
    password_hash: Mapped[str] = mapped_column(String(256))
    """Argon2id."""
    role: Mapped[str] = mapped_column(String(16))


class RefreshToken(Audited, Base):
    """One refresh token, as its hash. Tokens of one sign-in are a family: one used twice revokes them all."""

    __tablename__ = "refresh_tokens"

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("users.id"), index=True)
    family: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
