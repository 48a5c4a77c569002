"""Table of the ledger: every event of every strategy, once; the application role may insert and read, never change."""

from typing import Any

from sqlalchemy import BigInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.tables import ID_LENGTH, Audited, Base


class LedgerEntry(Audited, Base):
    """One event. The id that Redis gave it makes a second copy impossible."""

    __tablename__ = "ledger"
    __table_args__ = (UniqueConstraint("strategy_id", "stream_ms", "stream_seq"),)

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    strategy_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    stream_ms: Mapped[int] = mapped_column(BigInteger)
    stream_seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))
    session_time: Mapped[int] = mapped_column(BigInteger)
    """Milliseconds, by the market's clock."""
    wall_time: Mapped[int] = mapped_column(BigInteger)
    event: Mapped[dict[str, Any]]
    """Money in integers of 1/10 000 rupee, as recorded."""
