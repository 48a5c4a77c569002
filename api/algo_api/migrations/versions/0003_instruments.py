"""Instruments of all brokers, and what was loaded when.

Both tables hold data of the platform, the same for everybody: no row is anybody's. So every signed-in user reads all of
it, and only the background worker writes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SCOPE = "current_setting('app.scope', true)"
_LIVE = "deleted_at IS NULL"
_TABLES = ("instruments", "instrument_loads")


def upgrade() -> None:
    op.create_table(
        "instruments",
        sa.Column("id", sa.String(96), nullable=False),
        sa.Column("exchange", sa.String(8), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("tick_size", sa.BigInteger(), nullable=False),
        sa.Column("lot", sa.BigInteger(), nullable=False),
        sa.Column("freeze_quantity", sa.BigInteger(), nullable=False),
        sa.Column("band_low", sa.BigInteger(), nullable=False),
        sa.Column("band_high", sa.BigInteger(), nullable=False),
        sa.Column("closing_auction", sa.Boolean(), nullable=True),
        sa.Column("isin", sa.String(32), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=True),
        sa.Column("strike", sa.BigInteger(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("tokens", postgresql.JSONB(), nullable=False),
        sa.Column("broker_symbols", postgresql.JSONB(), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_instruments"),
    )
    op.create_table(
        "instrument_loads",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("exchange", sa.String(8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("vanished", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("sources", postgresql.JSONB(), nullable=False),
        sa.Column("disagreements", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instrument_loads"),
    )
    op.create_index("ix_instrument_loads_exchange", "instrument_loads", ["exchange"])
    _indices()
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY user_read ON {table} FOR SELECT USING ({_SCOPE} = 'user')")
        op.execute(f"CREATE POLICY worker ON {table} FOR ALL USING ({_SCOPE} = 'worker')")


def _indices() -> None:
    bytewise = {"symbol": "text_pattern_ops"}
    cash, contract = f"{_LIVE} AND expiry IS NULL", f"{_LIVE} AND expiry IS NOT NULL"
    for name, columns, condition in (
        ("ix_instruments_cash", ["symbol"], cash),
        ("ix_instruments_contracts", ["symbol"], contract),
        ("ix_instruments_kind_symbol", ["kind", "symbol"], _LIVE),
    ):
        op.create_index(name, "instruments", columns, postgresql_ops=bytewise, postgresql_where=sa.text(condition))
    op.create_index(
        "ix_instruments_exchange_symbol", "instruments", ["exchange", "symbol"], postgresql_ops=bytewise
    )
    op.create_index(
        "ix_instruments_isin", "instruments", ["isin"], postgresql_where=sa.text(f"{_LIVE} AND isin <> ''")
    )
    op.create_index(
        "ix_instruments_search", "instruments", ["search"], postgresql_using="gin", postgresql_where=sa.text(cash)
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
