"""`algo demo`: the arguments, and what is printed at the end."""

import asyncio
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from algo_local.demo.endpoints import Kubectl, UnreachableError, reach
from algo_local.demo.flow import NotReadyError, run_demo
from algo_local.demo.options import BROKERS, DemoOptions, check_options
from algo_local.demo.recordings import DemoInputError
from algo_local.demo.result import exit_code
from algo_local.demo.screen import Screen, summary
from algo_local.demo.services import Json, ServiceError
from algo_local.demo.target import kubectl_of

FAILURES = (DemoInputError, NotReadyError, ServiceError, UnreachableError)


def _amount(text: str | None, option: str) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{option} {text!r} is not a number") from error


async def perform(kubectl: Kubectl, options: DemoOptions, screen: Screen) -> Json:
    """Reach the cluster's services and run once."""
    async with reach(kubectl) as endpoints:
        try:
            return await run_demo(kubectl, endpoints, options, screen)
        finally:
            screen.close()


def demo(
    ticks: Annotated[
        Path | None, typer.Option(help="Recorded file, or a folder named by its date; none: synthetic")
    ] = None,
    broker: Annotated[str, typer.Option(help=f"Whose protocol it trades over: {', '.join(BROKERS)}")] = "zerodha",
    symbol: Annotated[str, typer.Option(help="Trading symbol at NSE or NFO")] = "RELIANCE",
    quantity: Annotated[int, typer.Option(min=1, help="Shares, or units of a contract: a multiple of its lot")] = 10,
    stop_percent: Annotated[str | None, typer.Option(help="Stop-loss in percent below the entry [default: 1]")] = None,
    stop_points: Annotated[str | None, typer.Option(help="Stop-loss in rupees below the entry")] = None,
    stop_price: Annotated[str | None, typer.Option(help="Stop-loss as a price")] = None,
    target_percent: Annotated[str | None, typer.Option(help="Target in percent above the entry")] = None,
    buy_time: Annotated[str, typer.Option(help="Exchange time HH:MM:SS")] = "09:20:00",
    sell_time: Annotated[str, typer.Option(help="Exchange time HH:MM:SS")] = "15:05:00",
    speed: Annotated[float, typer.Option(min=0, help="Session seconds a second at most; 0: as fast as it goes")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic session")] = 1,
    daily: Annotated[bool, typer.Option("--daily", help="Repeat on the next trading day of the recording")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the world and the trader behind")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the result, as JSON on the last line")] = False,
    instance: Annotated[str, typer.Option(help="Which local cluster", envvar="ALGO_INSTANCE")] = "default",
) -> None:
    """One strategy over a recorded session, in a world of its own: entry, stop at the exchange, exit."""
    percent = _amount(stop_percent, "--stop-percent")
    points, price = _amount(stop_points, "--stop-points"), _amount(stop_price, "--stop-price")
    if percent is None and points is None and price is None:
        percent = Decimal(1)
    if broker not in BROKERS:
        raise typer.BadParameter(f"--broker {broker}: it is one of {', '.join(BROKERS)}")
    options = DemoOptions(
        broker=broker,
        symbol=symbol,
        quantity=quantity,
        buy_time=buy_time,
        sell_time=sell_time,
        stop_percent=percent,
        stop_points=points,
        stop_price=price,
        target_percent=_amount(target_percent, "--target-percent"),
        repeat="Daily" if daily else "Once",
        speed=speed,
        seed=seed,
        ticks=ticks,
        keep=keep,
    )
    console = Console(stderr=as_json)
    try:
        check_options(options)
        result = asyncio.run(perform(kubectl_of(instance), options, Screen(console, quiet=as_json)))
    except FAILURES as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(result, default=str))
    else:
        console.print(summary(result))
    raise typer.Exit(exit_code(result["phase"]))
