"""`python -m algo_api.migrate`: brings the schema to this version as the owner, then the application role's rights.

The role is the user of DATABASE_URL. It is made if it is missing; its rights follow from the tables each time, so a new
table cannot be forgotten. It owns nothing and cannot bypass row-level security.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from algo_api.metadata import METADATA
from algo_api.settings import Settings, async_url

APPEND_ONLY: Final = frozenset({"audit_log", "ledger"})
_LOCK: Final = 0x616C676F
"""Two migrations at once wait for each other."""


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """To the newest revision."""
    command.upgrade(alembic_config(connection), "head")


def check(connection: Connection) -> None:
    """Fails when the models say something that no migration has done."""
    command.check(alembic_config(connection))


def grant(role: str, password: str | None) -> Callable[[Connection], None]:
    """Makes the application role if it is missing, and gives it exactly what it needs."""

    def run(connection: Connection) -> None:
        quote = connection.dialect.identifier_preparer.quote
        name, schema = quote(role), quote("public")
        if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
            connection.execute(text(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"))
            if password is not None:
                _set_password(connection, role, password)
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
        for table in METADATA.sorted_tables:
            verbs = "SELECT, INSERT" if table.name in APPEND_ONLY else "SELECT, INSERT, UPDATE"
            connection.execute(text(f"REVOKE ALL ON {quote(table.name)} FROM {name}, PUBLIC"))
            connection.execute(text(f"GRANT {verbs} ON {quote(table.name)} TO {name}"))

    return run


def _set_password(connection: Connection, role: str, password: str) -> None:
    statement = connection.scalar(
        text("SELECT format('ALTER ROLE %I PASSWORD %L', CAST(:role AS text), CAST(:password AS text))"),
        {"role": role, "password": password},
    )
    connection.exec_driver_sql(str(statement))


async def migrate(owner_url: str, app_url: str) -> None:
    """Schema and rights, in one transaction: all of it or nothing."""
    app = make_url(app_url)
    assert app.username, "DATABASE_URL must name the application role"
    engine = create_async_engine(owner_url, poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(upgrade)
            await connection.run_sync(grant(app.username, app.password))
    finally:
        await engine.dispose()


def main() -> int:
    """Entry point; returns the exit code."""
    settings = Settings()
    if settings.database_owner_url is None:
        sys.stderr.write("set DATABASE_OWNER_URL: migrations run as the owner of the tables\n")
        return 2
    asyncio.run(migrate(async_url(settings.database_owner_url), async_url(settings.database_url)))
    sys.stdout.write("the database is at the newest schema\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
