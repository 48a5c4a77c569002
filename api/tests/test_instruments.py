"""The table of instruments: what a load writes, skips, keeps and forgets, how it is searched, and what it refuses."""

import time
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from algo_api.db import WORKER, Database, create_database, user_scope
from algo_api.identity import Caller, Role
from algo_api.instruments import cache
from algo_api.instruments.service import OLD_MS, create_instrument_service
from algo_api.settings import Settings, async_url
from algo_brokers.errors import BadAnswer, BrokerUnavailable, SessionRefused
from algo_crds.contracts import keys
from instrument_lists import NOW, Lists, listed, loader
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

EXPIRY = date(2026, 12, 29)


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    database = create_database(async_url(settings.database_url))
    yield database
    await database.engine.dispose()


@pytest.fixture(autouse=True)
async def empty(db: Database, redis: Redis) -> AsyncIterator[None]:
    """Tests share the servers: each begins and ends without instruments."""
    await forget(db, redis)
    yield
    await forget(db, redis)


async def forget(db: Database, redis: Redis) -> None:
    async with db.transaction(WORKER) as session:
        await session.execute(text("UPDATE instruments SET deleted_at = now()"))
        await session.execute(text("UPDATE instrument_loads SET loaded_at = NULL, day = '2000-01-01'"))
    await redis.delete(keys.instruments("NSE"), keys.instruments("NFO"))


async def column(db: Database, name: str, symbol: str = "RELIANCE") -> Any:
    async with db.transaction(WORKER) as session:
        return await session.scalar(text(f"SELECT {name} FROM instruments WHERE symbol = :symbol"), {"symbol": symbol})


async def test_a_load_is_searched_and_read(db: Database, redis: Redis, trader: Any) -> None:
    lists: Lists = {
        "dhan": [
            listed(token=2885, name="Reliance Industries"),
            listed("RELINFRA", token=2),
            listed("TATAMOTORS", token=3),
        ],
        "fyers": [
            listed(
                token=10100000002885, isin="INE002A01018", broker_symbol="NSE:RELIANCE-EQ", band_low=10, band_high=20
            )
        ],
        "zerodha": SessionRefused("a session is wanted"),
    }
    report = await loader(db, redis, lists)()
    assert (report.complete, report.listed) == (True, 3)
    found = await trader.http.get("/instruments", params={"q": "reli"})
    assert [one["symbol"] for one in found.json()["items"]] == ["RELIANCE", "RELINFRA"]
    one = (await trader.http.get("/instruments/NSE/RELIANCE")).json()
    assert one == found.json()["items"][0]
    assert one == {
        "exchange": "NSE", "symbol": "RELIANCE", "name": "Reliance Industries", "kind": "EQ", "tick_size": "0.10",
        "lot": 1, "freeze_quantity": None, "band_low": "0.0010", "band_high": "0.0020", "closing_auction": None,
        "isin": "INE002A01018", "expiry": None, "strike": None, "underlying": None,
        "tokens": {"dhan": "2885", "fyers": "10100000002885"}, "broker_symbols": {"fyers": "NSE:RELIANCE-EQ"},
    }  # fmt: skip
    (load,) = [one for one in (await trader.http.get("/instruments/state")).json()["loads"] if one["listed"]]
    assert (load["exchange"], load["listed"], load["changed"], load["vanished"]) == ("NSE", 3, 3, 0)
    assert load["sources"] == {
        "dhan": {"listed": 3, "trouble": ""},
        "fyers": {"listed": 1, "trouble": ""},
        "zerodha": {"listed": 0, "trouble": "a session is wanted"},
    }


async def test_without_the_cache_the_row_is_read(db: Database, redis: Redis, trader: Any) -> None:
    await loader(db, redis, {"dhan": [listed(token=7)]})()
    cached = (await trader.http.get("/instruments/NSE/RELIANCE")).json()
    await redis.delete(keys.instruments("NSE"))
    assert (await trader.http.get("/instruments/NSE/RELIANCE")).json() == cached
    await redis.set(keys.instruments("NSE"), "of another kind")
    assert (await trader.http.get("/instruments/NSE/RELIANCE")).json() == cached
    await redis.delete(keys.instruments("NSE"))
    await loader(db, redis, {"dhan": [listed(token=7)]})()
    assert await cache.get(redis, "NSE", "RELIANCE") is not None, "a lost cache is made again"


async def test_what_has_not_changed_is_not_written_again(db: Database, redis: Redis) -> None:
    lists: Lists = {"dhan": [listed(), listed("TCS", token=3)]}
    await loader(db, redis, lists)()
    before = await column(db, "updated_at")
    lists["dhan"] = [listed(), listed("TCS", token=3, tick_size=500)]
    await loader(db, redis, lists, now=lambda: NOW + 60_000)()
    assert await column(db, "updated_at") == before
    assert await column(db, "updated_at", "TCS") > before
    assert await column(db, "tick_size", "TCS") == 500


async def test_what_no_list_has_any_more_is_gone_and_may_come_back(db: Database, redis: Redis, trader: Any) -> None:
    lists: Lists = {"dhan": [listed(), listed("TCS")]}
    await loader(db, redis, lists)()
    lists["dhan"] = [listed("TCS")]
    await loader(db, redis, lists)()
    gone = await trader.http.get("/instruments/NSE/RELIANCE")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert (await trader.http.get("/instruments", params={"q": "RELIANCE"})).json()["items"] == []
    assert await column(db, "status") == "deleted"
    lists["dhan"] = [listed("TCS"), listed()]
    await loader(db, redis, lists)()
    assert (await trader.http.get("/instruments/NSE/RELIANCE")).status_code == 200
    assert await column(db, "status") == "active"


async def test_what_only_a_broker_lists_whose_list_failed_stays(db: Database, redis: Redis, trader: Any) -> None:
    lists: Lists = {"dhan": [listed(), listed("ONLYDHAN")], "fyers": [listed()]}
    await loader(db, redis, lists)()
    lists["dhan"] = BrokerUnavailable("no answer")
    report = await loader(db, redis, lists)()
    assert not report.complete
    assert await column(db, "deleted_at", "ONLYDHAN") is None
    assert (await trader.http.get("/instruments/NSE/RELIANCE")).json()["tokens"] == {"fyers": "2885"}


async def test_a_list_that_lost_most_of_its_lines_takes_nothing_away(db: Database, redis: Redis, trader: Any) -> None:
    lists: Lists = {"dhan": [listed(f"SHARE{number}", token=number + 1) for number in range(1_200)]}
    await loader(db, redis, lists)()
    lists["dhan"] = [listed("SHARE0", token=1)]
    await loader(db, redis, lists)()
    assert await column(db, "deleted_at", "SHARE1199") is None
    state = (await trader.http.get("/instruments/state")).json()
    assert "1199 of 1200 instruments are in no list" in str(state)


async def test_a_load_without_any_list_keeps_the_table_and_says_so(db: Database, redis: Redis, trader: Any) -> None:
    lists: Lists = {"dhan": [listed()]}
    await loader(db, redis, lists)()
    lists["dhan"] = BadAnswer("not a list")
    await loader(db, redis, lists, now=lambda: NOW + 60_000)()
    assert (await trader.http.get("/instruments/NSE/RELIANCE")).status_code == 200
    (load,) = [one for one in (await trader.http.get("/instruments/state")).json()["loads"] if one["listed"]]
    assert (load["trouble"], load["sources"]["dhan"]["trouble"]) == ("no list could be read", "not a list")
    assert load["loaded_at"] < load["tried_at"]


async def test_brokers_that_disagree_are_reported(db: Database, redis: Redis, trader: Any) -> None:
    await loader(db, redis, {"dhan": [listed(tick_size=500)], "fyers": [listed(tick_size=1000)]})()
    assert (await trader.http.get("/instruments/NSE/RELIANCE")).json()["tick_size"] == "0.10"
    (load,) = [one for one in (await trader.http.get("/instruments/state")).json()["loads"] if one["listed"]]
    assert load["disagreements"] == {"tick_size": 1}
    assert load["examples"] == [
        {"symbol": "RELIANCE", "field": "tick_size", "said": {"dhan": "500", "fyers": "1000"}, "taken": "1000"}
    ]


async def test_the_shares_of_the_closing_auction_follow_from_the_derivatives(db: Database, redis: Redis) -> None:
    future = listed("RELIANCE26DECFUT", exchange="NFO", kind="FUT", underlying="RELIANCE", expiry=EXPIRY, lot=500)
    await loader(db, redis, {"dhan": [listed(), listed("SMALL"), future]}, exchanges=("NSE", "NFO"))()
    assert await column(db, "closing_auction") is True
    assert await column(db, "closing_auction", "SMALL") is False


async def test_a_line_that_cannot_be_stored_does_not_stop_the_others(db: Database, redis: Redis) -> None:
    bad = [listed("X" * 65), listed("NUL\0"), listed("HUGE", tick_size=1 << 70)]
    await loader(db, redis, {"dhan": [*bad, listed()]})()
    assert await column(db, "symbol") == "RELIANCE"
    assert await column(db, "count(*)", "HUGE") == 0


async def test_the_best_come_first(db: Database, redis: Redis, trader: Any) -> None:
    option = {"exchange": "NFO", "kind": "CE", "underlying": "TATA", "expiry": EXPIRY, "strike": 10}
    rows = [
        listed("TATA26DEC1CE", **option),
        listed("TATAMOTORS", token=1, name="Tata Motors", isin="INE155A01022"),
        listed("TATA", token=2),
        listed("NATCO", token=3, name="Something Tatanagar Steel"),
        listed("NIFTY 50", token=4, kind="INDEX", name="Nifty"),
    ]
    await loader(db, redis, {"dhan": rows}, exchanges=("NSE", "NFO"))()

    async def found(**query: str) -> list[str]:
        answer = await trader.http.get("/instruments", params=query)
        assert answer.status_code == 200, answer.text
        return [one["symbol"] for one in answer.json()["items"]]

    assert await found(q="tata") == ["TATA", "TATAMOTORS", "TATA26DEC1CE", "NATCO"]
    assert await found(q="tata", limit="2") == ["TATA", "TATAMOTORS"]
    assert await found(q="tata", exchange="NFO") == ["TATA26DEC1CE"]
    assert await found(q="tata", kind="CE") == ["TATA26DEC1CE"]
    assert await found(q="mot tat") == ["TATAMOTORS"]
    assert await found(q="INE155A01022") == ["TATAMOTORS"]
    assert await found(q="nifty 50") == ["NIFTY 50"]
    assert await found(q="'%_\\&|!:*()") == []


async def test_only_the_worker_writes_and_only_users_read(db: Database, redis: Redis, trader: Any) -> None:
    await loader(db, redis, {"dhan": [listed()]})()
    async with db.transaction(user_scope(trader.id, trader.tenant_id)) as session:
        assert await session.scalar(text("SELECT count(*) FROM instruments WHERE symbol = 'RELIANCE'")) == 1
        changed: Any = await session.execute(text("UPDATE instruments SET lot = 5"))
        assert changed.rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        async with db.transaction(user_scope(trader.id, trader.tenant_id)) as session:
            await session.execute(
                text(
                    "INSERT INTO instrument_loads SELECT 'x', 'NSE', day, tried_at, loaded_at, 0, 0, 0, 0, '', "
                    "'{}', '{}' FROM instrument_loads LIMIT 1"
                )
            )


async def test_nobody_reads_without_a_token(url: str, trader: Any) -> None:
    for path in ("/instruments?q=A", "/instruments/state", "/instruments/NSE/RELIANCE"):
        answer = await trader.http.get(path, headers={"Authorization": ""})
        assert answer.status_code == 401


async def test_a_strategy_on_a_symbol_that_is_not_listed_is_refused_with_what_is_like_it(
    settings: Settings, serve: Any, make_trader: Any, db: Database, redis: Redis, short_form: dict[str, Any]
) -> None:
    wall = time.time_ns() // 1_000_000
    rows = [listed(), listed("RELINFRA"), listed("NIFTY 50", kind="INDEX")]
    async with serve(settings) as url:
        trader = await make_trader(url)
        await loader(db, redis, {"dhan": rows}, now=lambda: wall)()

        async def create(symbol: str) -> Any:
            return await trader.http.post("/strategies", json=short_form | {"symbol": symbol})

        wrong = await create("RELIANC")
        assert (wrong.status_code, wrong.json()["code"]) == (400, "trading_rule")
        assert wrong.json()["detail"] == "RELIANC is not listed at NSE; did you mean RELIANCE?"
        assert "did you mean RELIANCE" in (await create("RELAINCE")).json()["detail"]
        assert "search the instruments" in (await create("ZZZ")).json()["detail"]
        made = await create("RELIANCE")
        assert made.status_code == 201, made.text
        change = f"/strategies/{made.json()['id']}"
        assert (await trader.http.patch(change, json={"symbol": "NOSUCH"})).status_code == 400
        await loader(db, redis, {"dhan": rows[1:]}, now=lambda: wall)()
        nearer = await trader.http.patch(change, json={"symbol": "RELIANCE", "stop_loss": "1910"})
        assert nearer.status_code == 200, "what is not listed any more can still be guarded"
        assert (await trader.http.post(f"{change}/stop")).status_code == 200


async def test_a_table_that_is_missing_or_old_refuses_nobody(db: Database, redis: Redis, trader: Any) -> None:
    caller = Caller(user_id=trader.id, tenant_id=trader.tenant_id, role=Role.USER, expires_at=0)
    now = [NOW]
    service = create_instrument_service(db, redis, lambda: now[0])
    await service.check_tradable(caller, "NSE", "NOSUCH")
    await loader(db, redis, {"dhan": [listed(), listed("NIFTY 50", kind="INDEX")]})()
    with pytest.raises(Exception, match="NOSUCH is not listed at NSE"):
        await service.check_tradable(caller, "NSE", "NOSUCH")
    with pytest.raises(Exception, match="is an index and cannot be traded"):
        await service.check_tradable(caller, "NSE", "NIFTY 50")
    await service.check_tradable(caller, "BSE", "NOSUCH")
    now[0] = NOW + OLD_MS + 1
    await service.check_tradable(caller, "NSE", "NOSUCH")


async def test_simulated_lists_are_of_one_day_and_judge_no_contract_of_another(
    db: Database, redis: Redis, trader: Any
) -> None:
    caller = Caller(user_id=trader.id, tenant_id=trader.tenant_id, role=Role.USER, expires_at=0)
    future = listed("NIFTY26NOVFUT", exchange="NFO", kind="FUT")
    await loader(db, redis, {"dhan": [listed(), future]}, exchanges=("NSE", "NFO"))()
    real = create_instrument_service(db, redis, lambda: NOW)
    with pytest.raises(Exception, match="NIFTY21APRFUT is not listed at NFO"):
        await real.check_tradable(caller, "NFO", "NIFTY21APRFUT")
    simulated = create_instrument_service(db, redis, lambda: NOW, simulated=True)
    await simulated.check_tradable(caller, "NFO", "NIFTY21APRFUT")
    with pytest.raises(Exception, match="NOSUCH is not listed at NSE"):
        await simulated.check_tradable(caller, "NSE", "NOSUCH")
