"""The operator's door handle: `POST /halt` with its own token. A halt acts at once, whether Redis works or not."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from algo_gateway.tokens import TokenError, bearer, check_operator

log: Final = logging.getLogger("algo_gateway.admin")


class HaltBody(msgspec.Struct, frozen=True):
    """All reasons in force; none lifts the halt."""

    reasons: list[str] = msgspec.field(default_factory=list)


def create_admin(public_key_file: Path, set_halts: Callable[[list[str]], None]) -> web.Application:
    """The application of the admin port."""

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
        set_halts(body.reasons)
        return web.json_response({"halts": body.reasons})

    async def alive(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application(client_max_size=64 * 1024)
    app.router.add_post("/halt", halt)
    app.router.add_get("/healthz", alive)
    return app
