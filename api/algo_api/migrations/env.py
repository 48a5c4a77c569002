"""Alembic's entry: runs the migrations on the connection that `algo_api.migrate` hands over."""

from alembic import context

from algo_api.metadata import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=True,
    compare_server_default=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
