"""A login at a broker whose redirect has no place for a state."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broker_logins", sa.Column("needs_state", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.alter_column("broker_logins", "needs_state", server_default=None)


def downgrade() -> None:
    op.drop_column("broker_logins", "needs_state")
