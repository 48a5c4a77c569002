"""Tables of instruments and of what was loaded when: data of the platform, the same for every user."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from algo_api.tables import ACTIVE, Base, utc_now

_LIVE = "deleted_at IS NULL"
_CASH = f"{_LIVE} AND expiry IS NULL"
_BYTEWISE = {"symbol": "text_pattern_ops"}


class Instrument(Base):
    """One instrument as all brokers list it. Prices in 1/10 000 rupee; 0 and null: not known."""

    __tablename__ = "instruments"
    __table_args__ = (
        Index("ix_instruments_cash", "symbol", postgresql_ops=_BYTEWISE, postgresql_where=text(_CASH)),
        Index(
            "ix_instruments_contracts",
            "symbol",
            postgresql_ops=_BYTEWISE,
            postgresql_where=text(f"{_LIVE} AND expiry IS NOT NULL"),
        ),
        Index("ix_instruments_kind_symbol", "kind", "symbol", postgresql_ops=_BYTEWISE, postgresql_where=text(_LIVE)),
        Index("ix_instruments_exchange_symbol", "exchange", "symbol", postgresql_ops=_BYTEWISE),
        Index("ix_instruments_isin", "isin", postgresql_where=text(f"{_LIVE} AND isin <> ''")),
        Index("ix_instruments_search", "search", postgresql_using="gin", postgresql_where=text(_CASH)),
    )

    id: Mapped[str] = mapped_column(String(96), primary_key=True)
    """`EXCHANGE:SYMBOL`."""
    exchange: Mapped[str] = mapped_column(String(8))
    symbol: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(8))
    tick_size: Mapped[int] = mapped_column(BigInteger)
    lot: Mapped[int] = mapped_column(BigInteger)
    freeze_quantity: Mapped[int] = mapped_column(BigInteger)
    band_low: Mapped[int] = mapped_column(BigInteger)
    band_high: Mapped[int] = mapped_column(BigInteger)
    closing_auction: Mapped[bool | None]
    isin: Mapped[str] = mapped_column(String(32))
    expiry: Mapped[date | None]
    strike: Mapped[int] = mapped_column(BigInteger)
    underlying: Mapped[str] = mapped_column(Text)
    tokens: Mapped[dict[str, Any]]
    """By broker; also says which brokers list it."""
    broker_symbols: Mapped[dict[str, Any]]
    search: Mapped[Any] = mapped_column(TSVECTOR)
    """Words of symbol and names."""
    content_hash: Mapped[str] = mapped_column(String(32))
    """Of all that the lists say: what has not changed is not written again."""
    status: Mapped[str] = mapped_column(String(32), default=ACTIVE)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was in no list any more."""


class InstrumentLoad(Base):
    """The last reading of an exchange's lists on one day."""

    __tablename__ = "instrument_loads"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """`EXCHANGE:DAY`."""
    exchange: Mapped[str] = mapped_column(String(8), index=True)
    day: Mapped[date]
    """By the calendar of the exchange."""
    tried_at: Mapped[datetime]
    loaded_at: Mapped[datetime | None]
    """Null: no list could be read on that day."""
    milliseconds: Mapped[int]
    listed: Mapped[int]
    changed: Mapped[int]
    vanished: Mapped[int]
    trouble: Mapped[str] = mapped_column(Text)
    sources: Mapped[dict[str, Any]]
    """By broker: how many lines it has, and what was wrong."""
    disagreements: Mapped[dict[str, Any]]
    """How many by field, and examples."""
