"""What is not a runner: the operator's `POST /halt` (acts at once, whether Redis works or not), health and metrics."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from algo_gateway.tokens import TokenError, bearer, check_operator

log: Final = logging.getLogger("algo_gateway.admin")


class HaltBody(msgspec.Struct, frozen=True):
    """All reasons in force; none lifts the halt."""

    halted: bool = False
    reasons: list[str] = msgspec.field(default_factory=list)


def create_admin(
    public_key_file: Path, set_halts: Callable[[list[str]], None], metrics: CollectorRegistry
) -> web.Application:
    """The application behind every path but the runners'. Ready as soon as it serves: an account without a login is a
    state of the account, not of the process, and its door must be told the halts before anything else."""

    async def halt(request: web.Request) -> web.Response:
        try:
            check_operator(bearer(request.headers.get("Authorization")), public_key_file)
        except TokenError as error:
            log.warning("a halt was refused: %s", error)
            return web.json_response({"message": "the operator's token is needed"}, status=401)
        try:
            body = msgspec.json.decode(await request.read(), type=HaltBody)
        except msgspec.MsgspecError as error:
            return web.json_response({"message": f"body: {error}"}, status=400)
        reasons = body.reasons or (["no reason given"] if body.halted else [])
        set_halts(reasons)
        return web.json_response({"halts": reasons})

    async def alive(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application(client_max_size=64 * 1024)
    app.router.add_post("/halt", halt)

    async def numbers(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", alive)
    app.router.add_get("/metrics", numbers)
    return app
