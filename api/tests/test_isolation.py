"""Another user sees nothing of it: over every route, and in raw SQL without any user filter."""

import re
from typing import Any

import asyncpg
import httpx
import pytest
from algo_api.audit.queries import own_entries
from algo_api.broker_accounts import queries as accounts
from algo_api.db import AUTH, WORKER, create_database, user_scope
from algo_api.identity import Caller, Role
from algo_api.metadata import TABLES
from algo_api.settings import Settings, async_url
from algo_api.strategies.queries import own_strategies, own_strategy
from algo_kube.contract import KubeClient
from algo_kube.resources import SECRET
from sqlalchemy import text

TAG = "a12345678abce001"
NAMES = sorted(table.__tablename__ for table in TABLES)


@pytest.fixture
async def furnished(
    url: str, make_trader: Any, short_form: dict[str, Any], kube: KubeClient
) -> tuple[Any, Any, dict[str, str]]:
    """Two traders; the first has one of everything."""
    first, second = await make_trader(url), await make_trader(url)
    strategy = (await first.http.post("/strategies", json=short_form)).json()
    body = {"broker": "zerodha", "client_id": "AB1234", "api_key": "key", "api_secret": "secret"}
    account = (await first.http.post("/broker-accounts", json=body)).json()
    namespace, name = account["resource"].split("/")
    await kube.create(SECRET, {"metadata": {"namespace": namespace, "name": f"{name}-session"}})
    assert (await first.http.post(f"/broker-accounts/{account['id']}/login")).status_code == 200
    return first, second, {"strategy_id": strategy["id"], "account_id": account["id"], "tag": TAG}


async def scoped(connection: Any, table: str, **scope: str) -> int:
    async with connection.transaction():
        for name, value in scope.items():
            await connection.execute("SELECT set_config($1, $2, true)", f"app.{name}", value)
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))


SYSTEM_TABLES = {"instruments", "instrument_loads"}
"""What brokers publish: the same for everybody, no user's."""


@pytest.mark.parametrize("table", NAMES)
async def test_without_a_scope_no_table_shows_a_row(furnished: Any, app_sql: Any, table: str) -> None:
    assert await scoped(app_sql, table) == 0


@pytest.mark.parametrize("table", sorted(set(NAMES) - {"refresh_tokens", "ledger"} - SYSTEM_TABLES))
async def test_a_query_without_the_user_filter_shows_own_rows_only(furnished: Any, app_sql: Any, table: str) -> None:
    first, second, _ = furnished
    own = {"scope": "user", "user_id": first.id, "tenant_id": first.tenant_id}
    assert await scoped(app_sql, table, **own) >= 1
    mixed = {"scope": "user", "user_id": second.id, "tenant_id": first.tenant_id}
    if table != "tenants":
        assert await scoped(app_sql, table, **mixed) == 0
    other = {"scope": "user", "user_id": second.id, "tenant_id": second.tenant_id}
    async with app_sql.transaction():
        for name, value in other.items():
            await app_sql.execute("SELECT set_config($1, $2, true)", f"app.{name}", value)
        tenants = {row["tenant_id"] for row in await app_sql.fetch(f"SELECT tenant_id FROM {table}")}
    assert tenants <= {second.tenant_id}


async def test_rows_of_others_can_be_neither_made_nor_changed(furnished: Any, app_sql: Any) -> None:
    first, second, ids = furnished
    async with app_sql.transaction():
        for name, value in {"scope": "user", "user_id": second.id, "tenant_id": second.tenant_id}.items():
            await app_sql.execute("SELECT set_config($1, $2, true)", f"app.{name}", value)
        changed = await app_sql.execute("UPDATE strategies SET symbol = 'X' WHERE id = $1", ids["strategy_id"])
        assert changed == "UPDATE 0"
        own = await app_sql.execute("UPDATE strategies SET user_id = $1", first.id)
        assert own == "UPDATE 0"
    insert = (
        "INSERT INTO audit_log (id, tenant_id, user_id, actor, action, entity_type, entity_id, changes, status,"
        " created_at, created_by, updated_at, updated_by)"
        " VALUES ('aud_x', $1, $2, 'x', 'x', 'x', 'x', '{}', 'active', now(), 'x', now(), 'x')"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await execute_as(app_sql, second, insert, first.tenant_id, first.id)


async def execute_as(connection: Any, trader: Any, statement: str, *values: str) -> None:
    async with connection.transaction():
        for name, value in {"scope": "user", "user_id": trader.id, "tenant_id": trader.tenant_id}.items():
            await connection.execute("SELECT set_config($1, $2, true)", f"app.{name}", value)
        await connection.execute(statement, *values)


async def test_background_and_sign_in_see_no_credentials(furnished: Any, app_sql: Any) -> None:
    for scope in ("auth", "worker"):
        assert await scoped(app_sql, "broker_credentials", scope=scope) == 0
    assert await scoped(app_sql, "users", scope="worker") == 0
    assert await scoped(app_sql, "strategies", scope="auth") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'x'",
        "DELETE FROM audit_log",
        "UPDATE ledger SET kind = 'x'",
        "DELETE FROM ledger",
        "DELETE FROM strategies",
        "DROP TABLE users",
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
    ],
)
async def test_the_application_role_cannot_rewrite_history(app_sql: Any, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_sql.execute(statement)


async def test_the_application_role_is_weak(app_sql: Any) -> None:
    role = await app_sql.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    assert not any(role)
    owned = await app_sql.fetchval("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
    assert owned == 0
    open_tables = await app_sql.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND NOT relrowsecurity AND relname <> 'alembic_version'"
    )
    assert open_tables == []


async def test_every_query_of_a_user_names_the_user_also_where_no_policy_would(furnished: Any, migrated: Any) -> None:
    """Read as the owner of the tables, for whom row-level security does not hold: two locks, each proven alone."""
    first, second, ids = furnished
    db = create_database(migrated.owner_url, pool_size=1)
    try:
        async with db.transaction(WORKER) as session:
            found = {}
            for trader in (first, second):
                account = await accounts.own_account(session, trader_of(trader), ids["account_id"])
                credentials = await accounts.own_credentials(session, trader_of(trader), ids["account_id"])
                entries = await own_entries(
                    session, user_id=trader.id, tenant_id=trader.tenant_id, limit=200, before=None
                )
                found[trader.id] = (
                    account is not None,
                    len(await accounts.own_accounts(session, trader_of(trader))),
                    await accounts.accounts_with_credentials(session, trader_of(trader)),
                    sorted(credentials),
                    await own_strategy(session, trader_of(trader), ids["strategy_id"]) is not None,
                    len(await own_strategies(session, trader_of(trader), limit=200, before=None)),
                    {entry.user_id for entry in entries} <= {trader.id},
                )
    finally:
        await db.engine.dispose()
    assert found[first.id] == (True, 1, {ids["account_id"]}, ["api_key", "api_secret"], True, 1, True)
    assert found[second.id] == (False, 0, set(), [], False, 0, True)


def trader_of(trader: Any) -> Caller:
    return Caller(user_id=trader.id, tenant_id=trader.tenant_id, role=Role.USER, expires_at=0)


async def test_a_scope_ends_with_its_transaction(furnished: Any, settings: Settings) -> None:
    first, _, _ = furnished
    db = create_database(async_url(settings.database_url), pool_size=1)
    count = text("SELECT count(*) FROM users")
    try:
        async with db.transaction(user_scope(first.id, first.tenant_id)) as session:
            assert await session.scalar(count) == 1
        async with db.engine.connect() as connection:  # the same pooled connection, without a scope
            assert await connection.scalar(count) == 0
        async with db.transaction(AUTH) as session:
            assert (await session.scalar(count) or 0) >= 2
        async with db.transaction(WORKER) as session:
            assert await session.scalar(count) == 0
    finally:
        await db.engine.dispose()


def routes_with_ids(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (method, path.removeprefix("/api/v1"))
        for path, item in document["paths"].items()
        if "{" in path
        for method in item
    ]


async def test_every_route_with_an_id_hides_what_is_not_the_callers(furnished: Any, url: str) -> None:
    first, second, ids = furnished
    async with httpx.AsyncClient() as http:
        document = (await http.get(f"{url}/openapi.json")).json()
    routes = [(method, path) for method, path in routes_with_ids(document) if "/instruments/" not in path]
    assert len(routes) >= 15
    for method, template in routes:
        path = re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], template)
        query = {"request_token": "token", "state": "state"} if path.endswith("/callback") else {}
        body: dict[str, Any] = {"json": {}} if method == "patch" else {}
        if path.endswith("/clear"):
            body = {"json": {"note": "squared off"}}
        stranger = await second.http.request(method, path, params=query, **body)
        absent = re.sub(r"_[0-9a-z]{26}", "_" + "0" * 26, path)
        nobody = await second.http.request(method, absent, params=query, **body)
        expected = 401 if query else 404  # a callback is proved by its state
        assert (stranger.status_code, nobody.status_code) == (expected, expected), (method, template, stranger.text)
        assert stranger.json()["detail"] == nobody.json()["detail"]
    for collection in ("/strategies", "/broker-accounts"):
        assert (await second.http.get(collection)).json()["items"] == []
    assert (await first.http.get(f"/strategies/{ids['strategy_id']}")).status_code == 200


async def test_every_route_but_the_open_ones_needs_a_token(url: str) -> None:
    open_paths = {"/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh", "/healthz", "/readyz",
                  "/metrics", "/api/v1/broker-accounts/{account_id}/callback"}  # fmt: skip
    async with httpx.AsyncClient(base_url=url) as http:
        document = (await http.get("/openapi.json")).json()
        for path, item in document["paths"].items():
            for method in item:
                if path in open_paths:
                    continue
                target = path.replace("{strategy_id}", "str_" + "0" * 26).replace("{account_id}", "brk_" + "0" * 26)
                target = target.replace("{tag}", TAG)
                body: dict[str, Any] = {"json": {}} if method in ("post", "patch") else {}
                answer = await http.request(method, target, **body)
                assert answer.status_code in (401, 422), (method, path)
                if answer.status_code == 422:
                    assert method in ("post", "patch")


async def test_a_strategy_cannot_name_the_account_of_another(furnished: Any, short_form: dict[str, Any]) -> None:
    _, second, ids = furnished
    body = short_form | {"broker_account_id": ids["account_id"], "mode": "Live"}
    assert (await second.http.post("/strategies", json=body)).status_code == 404
