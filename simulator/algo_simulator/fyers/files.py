"""The public files: symbol masters as CSV and JSON, and the names of indices; nobody logs in for them."""

from datetime import date

from aiohttp import web

from algo_simulator.front import Front
from algo_simulator.fyers.instruments import FILES, index_map, master_csv, master_json
from algo_simulator.fyers.session import BROKER
from algo_simulator.public_files import public_day

ROOT = "/files/sym_details"


def add_files(front: Front) -> None:
    """Add the routes."""

    def day() -> date:
        return public_day(front.worlds, BROKER)

    def closes() -> dict[str, int]:
        # Of the newest world alone: a file is of one day.
        for clock in reversed(front.worlds.all()):
            if any(account.spec.broker == BROKER for account in clock.world.accounts.values()):
                clock.world.prepare()
                return {key: market.previous_close for key, market in clock.world.markets.items()}
        return {}

    async def csv(request: web.Request) -> web.StreamResponse:
        return web.Response(text=master_csv(_known(request), day()), content_type="text/csv")

    async def json(request: web.Request) -> web.StreamResponse:
        body = master_json(_known(request), day(), closes())
        return web.Response(body=body, content_type="application/json")

    async def indices(_: web.Request) -> web.StreamResponse:
        return web.json_response(index_map(day()))

    front.bare("GET", f"{ROOT}/index_hsm_mapping.json", indices)
    front.bare("GET", f"{ROOT}/{{name}}.csv", csv)
    front.bare("GET", f"{ROOT}/{{name}}_sym_master.json", json)


def _known(request: web.Request) -> str:
    name = request.match_info["name"]
    if name not in FILES:
        raise web.HTTPNotFound
    return name
