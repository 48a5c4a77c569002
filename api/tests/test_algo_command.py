"""The `algo` command as a trader's client of this API: logged in, renewed, logged out, and the order queue by hand."""

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from algo_crds.contracts import keys
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Side
from algo_crds.contracts.runtime import OrderView, Phase, QueueEvent, StrategyView, encode
from algo_local.api_session import call, session_file
from algo_local.cli import app
from algo_runner.engine.events import Command, CommandKind
from algo_runner.spec_watch import parse_command
from redis.asyncio import Redis
from typer.testing import CliRunner

NOW = 1_618_200_000_000
TAG = "a12345678abce001"
Said = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Said:
    """Runs `algo` beside the server's event loop; exit code and output."""
    monkeypatch.setenv("ALGO_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("ALGO_INSTANCE", raising=False)

    async def run(*words: str, typed: str = "") -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, app, list(words), typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return run


async def logged_in(said: Said, url: str, trader: Any) -> str:
    code, text = await said("login", f"--email={trader.email}", f"--password={trader.password}", f"--url={url}")
    assert code == 0, text
    return text


async def made(trader: Any, form: dict[str, Any]) -> Any:
    answer = await trader.http.post("/strategies", json=form)
    assert answer.status_code == 201, answer.text
    return answer.json()


def view_of(strategy_id: str, **changed: Any) -> StrategyView:
    values: dict[str, Any] = {
        "strategy_id": strategy_id, "epoch": 1, "generation": 1, "day": "2021-04-12", "now": NOW,
        "phase": Phase.BOUGHT, "reason": "Holding", "message": "", "conditions": {}, "held": 10,
        "entry_price": 19_201_500, "stop_price": 19_005_000, "pnl": -123_400,
    }  # fmt: skip
    return StrategyView(**(values | changed))


async def test_a_login_is_kept_private_and_told_without_its_tokens(said: Said, url: str, trader: Any) -> None:
    text = await logged_in(said, url, trader)
    kept = json.loads(session_file("default").read_text())
    assert stat.S_IMODE(session_file("default").stat().st_mode) == 0o600
    assert (kept["url"], kept["email"]) == (url, trader.email)
    assert trader.password not in session_file("default").read_text()
    assert kept["access_token"] not in text
    assert kept["refresh_token"] not in text


async def test_strategies_are_those_of_the_person_with_what_is_held(
    said: Said, url: str, trader: Any, make_trader: Any, short_form: dict[str, Any], redis: Redis
) -> None:
    await logged_in(said, url, trader)
    assert "no strategies yet" in (await said("strategies"))[1]
    stranger = await make_trader(url)
    foreign, one = await made(stranger, short_form), await made(trader, short_form | {"symbol": "TCS"})
    await redis.hset(keys.state(one["id"]), "view", encode(view_of(one["id"])))
    code, text = await said("strategies")
    assert code == 0
    (row,) = [line for line in text.splitlines() if "TCS" in line]
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    assert cells == [one["resource"].split("/")[1], "TCS", "Bought (Holding)", "10", "1900.50", "-12.34"]
    assert foreign["id"].replace("_", "-") not in text
    code, text = await said("strategies", "--json")
    assert [item["id"] for item in json.loads(text)] == [one["id"]]


async def test_pages_are_followed_to_the_end(
    said: Said, url: str, trader: Any, short_form: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("algo_local.trading._PAGE", 2)
    await logged_in(said, url, trader)
    ids = [(await made(trader, short_form))["id"] for _ in range(3)]
    _, text = await said("strategies", "--json")
    assert [item["id"] for item in json.loads(text)] == ids[::-1]


async def test_the_queue_is_seen_and_settled(
    said: Said, url: str, trader: Any, short_form: dict[str, Any], redis: Redis
) -> None:
    await logged_in(said, url, trader)
    one = await made(trader, short_form)
    assert await said("queue", "list", one["id"]) == (0, "the order queue is empty\n")
    entry = QueueEvent(
        time=NOW, wall_time=NOW, tag=TAG, state="Waiting", cause="Margin", message="no [margin]", attempts=2
    )
    await redis.hset(keys.orders(one["id"]), TAG, encode(entry))
    for named in (one["id"], one["resource"], one["resource"].split("/")[1]):
        code, text = await said("queue", "list", named)
        (row,) = [line for line in text.splitlines() if TAG in line]
        cells = [cell.strip() for cell in row.split("│")[1:-1]]
        assert cells == [TAG, "Waiting", "Margin", "2", "09:30:00", "by a person", "no [margin]"]
    _, text = await said("queue", "list", one["id"], "--json")
    assert json.loads(text)[0]["tag"] == TAG
    for verb in ("retry", "discard"):
        code, text = await said("queue", verb, one["id"], TAG)
        assert (code, TAG in text) == (0, True), text
    found: Any = await redis.xrange(keys.commands(one["id"]))
    commands = [parse_command({name.decode(): value.decode() for name, value in fields.items()}) for _, fields in found]
    assert commands == [
        Command(kind=CommandKind.RETRY, actor=trader.id, tag=TAG),
        Command(kind=CommandKind.DISCARD, actor=trader.id, tag=TAG),
    ]


async def test_what_is_not_there_is_said(said: Said, url: str, trader: Any, short_form: dict[str, Any]) -> None:
    await logged_in(said, url, trader)
    one = await made(trader, short_form)
    code, text = await said("queue", "retry", one["id"], TAG)
    assert (code, "there is no such entry in the order queue" in text) == (1, True), text
    assert await said("queue", "retry", one["id"], "../clear") == (
        1,
        "'../clear' is no tag of an order; `algo queue list` shows them\n",
    )
    assert await said("queue", "list", "nobody") == (
        1,
        "you have no strategy 'nobody'; `algo strategies` lists yours\n",
    )


async def test_a_sell_of_unknown_outcome_is_forced_only_by_a_clear_yes(
    said: Said, url: str, trader: Any, short_form: dict[str, Any], redis: Redis
) -> None:
    await logged_in(said, url, trader)
    one = await made(trader, short_form)
    stop = OrderView(
        tag=TAG, leg=Leg.STOP, side=Side.SELL, type=OrderType.STOP_LIMIT, price=19_700_000, trigger=19_800_000,
        quantity=10, status=OrderStatus.UNKNOWN, time=NOW, wall_time=0,
    )  # fmt: skip
    await redis.hset(keys.state(one["id"]), "view", encode(view_of(one["id"], orders=(stop,))))
    for typed in ("n\n", "\n", ""):
        code, text = await said("queue", "force", one["id"], TAG, typed=typed)
        assert (code, "both may sell" in text) == (1, True), text
    assert not await redis.exists(keys.commands(one["id"]))
    code, text = await said("queue", "force", one["id"], TAG, typed="y\n")
    assert code == 0, text
    code, text = await said("queue", "force", one["id"], "a12345678abcs009", "--yes")
    assert (code, "no such order" in text) == (1, True), text
    found: Any = await redis.xrange(keys.commands(one["id"]))
    (fields,) = [fields for _, fields in found]
    command = parse_command({name.decode(): value.decode() for name, value in fields.items()})
    assert command == Command(kind=CommandKind.FORCE, actor=trader.id, tag=TAG)


async def test_a_failed_run_is_cleared_with_a_note(
    said: Said, url: str, trader: Any, short_form: dict[str, Any], redis: Redis
) -> None:
    await logged_in(said, url, trader)
    one = await made(trader, short_form)
    code, text = await said("queue", "clear", one["id"], "--note=sold by hand")
    assert (code, "no run of this strategy has failed" in text) == (1, True), text
    failed = view_of(one["id"], phase=Phase.FAILED, reason="PositionOpenAtSessionEnd")
    await redis.hset(keys.state(one["id"]), "view", encode(failed))
    code, text = await said("queue", "clear", one["id"], "--note=sold by hand")
    assert code == 0, text
    found: Any = await redis.xrange(keys.commands(one["id"]))
    assert [fields[b"note"] for _, fields in found] == [b"sold by hand"]


async def test_an_access_token_that_has_ended_is_renewed_once(said: Said, url: str, trader: Any) -> None:
    """Three commands at once: only one may spend the refresh token, or the whole sign-in would end."""
    await logged_in(said, url, trader)
    before = json.loads(session_file("default").read_text())
    session_file("default").write_text(json.dumps(before | {"access_token": "ended"}))
    answers = await asyncio.gather(*(asyncio.to_thread(call, "default", "GET", "/strategies") for _ in range(3)))
    assert [answer["items"] for answer in answers] == [[], [], []]
    after = json.loads(session_file("default").read_text())
    assert after["refresh_token"] != before["refresh_token"]
    assert stat.S_IMODE(session_file("default").stat().st_mode) == 0o600


async def test_a_login_that_has_ended_names_the_way_out(said: Said, url: str, trader: Any) -> None:
    await logged_in(said, url, trader)
    kept = json.loads(session_file("default").read_text())
    session_file("default").write_text(json.dumps(kept | {"access_token": "ended", "refresh_token": "spent"}))
    assert await said("strategies") == (
        1,
        f"the login of {trader.email} at {url} has ended; log in again with `algo login`\n",
    )


async def test_a_wrong_password_is_not_kept_and_not_said(said: Said, url: str, trader: Any) -> None:
    code, text = await said("login", f"--email={trader.email}", "--password=hunter2-secret", f"--url={url}")
    assert (code, "refused the login (401): e-mail address or password is wrong" in text) == (1, True), text
    assert "hunter2" not in text
    assert not session_file("default").exists()
