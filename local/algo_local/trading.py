"""Commands of the person who is logged in: their strategies and their order queues, over the API.

Thin on purpose: what may be done, and whether it is done, the API and the engine decide.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer
from algo_crds.contracts import clock
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from algo_local.api_session import ApiCallError, Json, call
from algo_local.terminal import InstanceOption, console, fail, last_words, must_answer, running

StrategyArgument = Annotated[str, typer.Argument(metavar="STRATEGY", help="Name or id, as `algo strategies` shows it")]
TagArgument = Annotated[str, typer.Argument(help="Tag of the entry, as `algo queue list` shows it")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the API's own answer")]
_PAGE: Final = 200

queue = typer.Typer(help="See and settle what was refused, not sent, or has an unknown outcome.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the `algo` command."""
    app.command()(login)
    app.command()(strategies)
    app.add_typer(queue, name="queue")


def login(
    email: Annotated[str, typer.Option(prompt=True, help="Of a registered user; asked for if not given")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="Better asked for than given: a shell remembers it")
    ],
    url: Annotated[str, typer.Option(help="The API; default: that of the local cluster", envvar="ALGO_API_URL")] = "",
    instance: InstanceOption = "default",
) -> None:
    """Log in to the API, for `algo strategies` and `algo queue`; the tokens go to a file that only you can read."""
    from algo_local.api_session import login as exchange
    from algo_local.release import api_url

    if not url:
        cluster = running(instance)
        must_answer(cluster)
        try:
            url = api_url(cluster)
        except subprocess.CalledProcessError as error:
            fail(f"the cluster has no API: {last_words(error)}; `algo up` installs it")
    try:
        target = exchange(instance, url, email, password)
    except ApiCallError as error:
        fail(str(error))
    except OSError as error:
        fail(f"the login cannot be kept: {error.strerror} ({error.filename}); is this the user who ran `algo up`?")
    console.print(f"logged in to {url}; tokens in {target}", highlight=False, markup=False, soft_wrap=True)


def strategies(as_json: JsonOption = False, instance: InstanceOption = "default") -> None:
    """List your strategies: phase, what is held, where the stop stands, profit or loss of the day."""
    found = list(_strategies(instance))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    if not found:
        console.print("no strategies yet; make one with `algo kubectl apply -f` or POST /api/v1/strategies")
        return
    table = Table()
    for column in ("name", "symbol", "phase", "held", "stop", "P&L"):
        right = column in ("held", "stop", "P&L")
        table.add_column(column, justify="right" if right else "left", no_wrap=column == "name")
    for one in found:
        held = one["position"]["quantity"] if one["position"] else 0
        why = f" ({one['reason']})" if one["reason"] else ""
        table.add_row(
            _name(one),
            one["symbol"],
            f"{one['phase'] or 'not seen yet'}{why}",
            str(held),
            _stop(one),
            _money(one["pnl"]),
        )
    console.print(table)


@queue.command("list")
def list_queue(strategy: StrategyArgument, as_json: JsonOption = False, instance: InstanceOption = "default") -> None:
    """Show the order queue of a strategy: what failed, why, how often, and when it is tried next."""
    entries = _asked(instance, "GET", f"/strategies/{_id(instance, strategy)}/order-queue")["items"]
    if as_json:
        typer.echo(json.dumps(entries, indent=2))
        return
    if not entries:
        console.print("the order queue is empty")
        return
    table = Table()
    for column in ("tag", "state", "cause", "attempts", "failed", "next try", "message"):
        table.add_column(column, no_wrap=column == "tag")
    for entry in entries:
        following = _time(entry["next_try"]) if entry["next_try"] else "by a person"
        words = (entry["tag"], entry["state"], entry["cause"], str(entry["attempts"]), _time(entry["time"]), following)
        table.add_row(*(escape(word) for word in (*words, entry["message"])))
    console.print(table)


@queue.command()
def retry(strategy: StrategyArgument, tag: TagArgument, instance: InstanceOption = "default") -> None:
    """Let the strategy decide anew at once: an exit for what is held now, an entry only if every rule allows it."""
    entry = _asked(instance, "POST", f"/strategies/{_id(instance, strategy)}/order-queue/{_tag(tag)}/retry")
    _done(f"told: {strategy} decides anew about {entry['tag']} ({entry['cause']}); no order is sent a second time")


@queue.command()
def discard(strategy: StrategyArgument, tag: TagArgument, instance: InstanceOption = "default") -> None:
    """Take an entry off the queue; it cancels nothing at the broker, and an exit goes on until all is sold."""
    entry = _asked(instance, "POST", f"/strategies/{_id(instance, strategy)}/order-queue/{_tag(tag)}/discard")
    _done(f"told: {strategy} puts {entry['tag']} ({entry['cause']}) aside")


@queue.command()
def force(
    strategy: StrategyArgument,
    tag: Annotated[str, typer.Argument(help="Tag of the stop or exit whose outcome is unknown")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: the broker's own order page was looked at")] = False,
    instance: InstanceOption = "default",
) -> None:
    """Call a sell of unknown outcome absent, so that the strategy may sell again; see docs/unknown-sell.md first."""
    path = f"/strategies/{_id(instance, strategy)}/orders/{_tag(tag)}/force-second-sell"
    console.print("If that order lives after all, both may sell: more than is held.", highlight=False)
    if not yes and not typer.confirm(f"Is it certain that the broker's own order page does not show {tag}?"):
        fail("nothing was changed; look at the broker's own order page (app or web) first")
    _asked(instance, "POST", path)
    _done(f"told: {strategy} takes {tag} for absent and sells what is held")


@queue.command()
def clear(
    strategy: StrategyArgument,
    note: Annotated[str, typer.Option(prompt="What became of the shares", help="Kept in the audit log")],
    instance: InstanceOption = "default",
) -> None:
    """Clear a run that failed, with a note on what became of its shares, so that the next run may begin."""
    _asked(instance, "POST", f"/strategies/{_id(instance, strategy)}/clear", json={"note": note})
    _done(f"told: the failed run of {strategy} is cleared")


def _asked(instance: str, method: str, path: str, **arguments: Json) -> Json:
    try:
        return call(instance, method, path, **arguments)
    except ApiCallError as error:
        fail(str(error))


def _strategies(instance: str) -> Iterator[Json]:
    """All of the person's strategies, newest first, page by page."""
    page: dict[str, Any] = {"limit": _PAGE}
    while True:
        answer = _asked(instance, "GET", "/strategies", params=page)
        yield from answer["items"]
        if not answer["next"]:
            return
        page["before"] = answer["next"]


def _id(instance: str, named: str) -> str:
    """The id of the strategy that a person named: by id, resource name, or namespace/name."""
    for one in _strategies(instance):
        if named in (one["id"], one["resource"], _name(one)):
            return str(one["id"])
    fail(f"you have no strategy {named!r}; `algo strategies` lists yours")


def _tag(text: str) -> str:
    """A tag, which becomes a part of a path."""
    if not (text.isascii() and text.isalnum()):
        fail(f"{text!r} is no tag of an order; `algo queue list` shows them")
    return text


def _name(strategy: Json) -> str:
    return str(strategy["resource"]).rpartition("/")[2]


def _stop(strategy: Json) -> str:
    """Where the stop stands, or as it was asked for while there is none."""
    if strategy["stop_price"] is not None:
        return str(strategy["stop_price"])
    asked = strategy["stop_loss"]
    if asked["price"] is not None:
        return str(asked["price"])
    return f"-{asked['percent']} %" if asked["percent"] is not None else f"-{asked['points']}"


def _money(amount: str | None) -> Text:
    if amount is None:
        return Text("-")
    return Text(amount, style="red" if amount.startswith("-") else "green")


def _time(instant: int) -> str:
    return clock.to_utc(instant).astimezone(clock.IST).strftime("%H:%M:%S")


def _done(sentence: str) -> None:
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)
