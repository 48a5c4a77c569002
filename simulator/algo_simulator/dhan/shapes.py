"""Which of Dhan's error bodies a refusal of the guard gets: it depends on the family of the path."""

from typing import Final, cast

from aiohttp import web

from algo_simulator.dhan.errors import (
    NO_ADDRESS,
    TOO_MANY,
    TOO_MANY_QUOTES,
    DhanError,
    answer,
    broken,
    data_failure,
    failure,
    no_such_host,
    no_such_path,
)
from algo_simulator.dhan.session import QUOTE_PATHS
from algo_simulator.front import ShapedError, Shapes
from algo_simulator.windows import Window


def _quotes(request: web.Request) -> bool:
    return request.path.startswith(QUOTE_PATHS)


def _refused(_: web.Request, error: ShapedError) -> web.StreamResponse:
    found = cast(DhanError, error)
    return answer(found.body, found.status)


def _too_many(request: web.Request, _: Window | None) -> DhanError:
    return data_failure(805, TOO_MANY_QUOTES, 429) if _quotes(request) else failure("DH-904", TOO_MANY)


def _failure(request: web.Request, status: int) -> DhanError:
    return data_failure(800, "Internal Server Error", status) if _quotes(request) else broken(status)


def _http(request: web.Request, error: web.HTTPException) -> DhanError:
    if error.status == 404 and not request.path.startswith(("/v2/", "/auth/", "/files/")):
        return no_such_host()
    return no_such_path(request.path, error.status, error.reason)


SHAPES: Final = Shapes(
    refused=_refused,
    too_many=_too_many,
    failure=_failure,
    bad_address=lambda _, remote: failure("DH-911", f"{NO_ADDRESS} {remote}"),
    http=_http,
    crash=lambda _: failure("DH-908", "Something went wrong in the simulator; see its log"),
    not_simulated=lambda request: failure("DH-910", f"{request.path} is not simulated"),
)
