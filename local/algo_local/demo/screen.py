"""What a person sees while a demo runs: the resource, the price against its stop, and what happened, live.

On a terminal the picture is redrawn in place; elsewhere (a log, CI) each transition is one plain line.
"""

from datetime import UTC, datetime, timedelta, timezone

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from algo_local.demo.result import Follower
from algo_local.demo.services import Json

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60
_IST = timezone(timedelta(hours=5, minutes=30))
_COLOURS = {"True": "green", "False": "red", "Unknown": "yellow"}


def exchange_time(value: object) -> str:
    """`HH:MM:SS` at the exchange of an instant (ISO text or milliseconds)."""
    if isinstance(value, int | float):
        moment = datetime.fromtimestamp(value / 1000, UTC)
    elif isinstance(value, str) and value:
        moment = datetime.fromisoformat(value)
    else:
        return "--:--:--"
    return moment.astimezone(_IST).strftime("%H:%M:%S")


def sparkline(prices: list[float]) -> str:
    """The prices as one line of bars, lowest to highest."""
    if not prices:
        return ""
    step = max(1, len(prices) // _WIDTH)
    shown = prices[::step][-_WIDTH:]
    low, high = min(shown), max(shown)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0
    return "".join(_BARS[round((price - low) * scale)] for price in shown)


class Screen:
    """Shows one run; implements `flow.Progress`."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._prices: list[float] = []
        self._printed = 0
        self._live: Live | None = None

    def step(self, text: str) -> None:
        """A step begins."""
        if not self._quiet:
            self._console.print(f"[dim]{datetime.now(UTC).astimezone():%H:%M:%S}[/dim]  {text}")

    def live(self, follower: Follower, strategy: Json, world: Json) -> None:
        """Redraw, or print what is new where nothing can be redrawn."""
        last = strategy.get("last_price")
        if last:
            self._prices.append(float(last))
        if self._quiet:
            return
        if not self._console.is_terminal:
            for change in follower.transitions[self._printed :]:
                self._console.print(self._line(change))
            self._printed = len(follower.transitions)
            return
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=8)
            self._live.start()
        self._live.update(self._picture(follower, strategy, world))

    def close(self) -> None:
        """Leave the last picture on the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _line(self, change: Json) -> Text:
        colour = _COLOURS.get(str(change["to"]), "cyan")
        return Text.assemble(
            (exchange_time(change["time"]), "dim"),
            f"  {change['name']:<14} {change['from'] or '-'} → ",
            (str(change["to"]), colour),
            f"  {change['reason']}",
        )

    def _picture(self, follower: Follower, strategy: Json, world: Json) -> Panel:
        facts = Table.grid(padding=(0, 2))
        facts.add_row(
            "phase", Text(str(strategy.get("phase")), style="bold"), "market time", exchange_time(world["now"])
        )
        facts.add_row("last", str(strategy.get("last_price") or "-"), "stop", str(strategy.get("stop_price") or "-"))
        position = strategy.get("position") or {}
        facts.add_row("held", str(position.get("quantity", 0)), "P&L", str(strategy.get("pnl") or "0.00"))
        orders = Table("order", "type", "qty", "price", "trigger", "status", box=None, header_style="dim")
        for order in strategy.get("orders", []):
            orders.add_row(
                f"{order['leg']} {order['side']}",
                order["type"],
                f"{order['filled']}/{order['quantity']}",
                str(order["price"]),
                str(order.get("trigger") or ""),
                order["status"],
            )
        changes = Group(*(self._line(change) for change in follower.transitions[-10:]))
        title = f"{strategy.get('resource') or strategy['id']}  {strategy.get('symbol')}"
        return Panel(Group(facts, Text(sparkline(self._prices), style="cyan"), orders, changes), title=title)


def summary(result: Json) -> Table:
    """The result for people."""
    table = Table(show_header=False, box=None, padding=(0, 2))
    ticks = result["ticks"]
    table.add_row("phase", str(result["phase"]))
    if result["entry_price"] is None:
        table.add_row("did not buy", result.get("message") or result.get("reason") or "the entry's time did not come")
    else:
        table.add_row("bought at", str(result["entry_price"]))
        table.add_row("stop", str(result["stop_price"]))
        table.add_row("out at", f"{result['exit_price']}  ({result['exit_reason']})")
    table.add_row("P&L", str(result["pnl"]))
    table.add_row("unprotected", f"{result['unprotected_seconds']} s of wall time")
    table.add_row(
        "ticks", f"{ticks['seen']} seen, {sum(ticks['rejected'].values())} rejected {ticks['rejected'] or ''}"
    )
    table.add_row("speed reached", f"{result['speed_reached']} session seconds a second")
    return table
