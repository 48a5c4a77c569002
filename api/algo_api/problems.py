"""Answers every error as `application/problem+json`; what is unexpected is logged and not told."""

import logging
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from algo_api.errors import (
    PROBLEM_MEDIA_TYPE,
    ApiError,
    FieldProblem,
    MalformedError,
    UnauthenticatedError,
    problem_of,
)
from algo_api.request_context import request_id

_LOG: Final = logging.getLogger(__name__)


def problem_response(error: ApiError, headers: dict[str, str] | None = None) -> Response:
    """The answer for an error."""
    extra = dict(headers or {})
    if error.retry_after is not None:
        extra["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnauthenticatedError):
        extra["WWW-Authenticate"] = "Bearer"
    problem = problem_of(error, request_id())
    return JSONResponse(
        problem.model_dump(mode="json"), status_code=error.status, media_type=PROBLEM_MEDIA_TYPE, headers=extra
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Registers the handlers."""

    @app.exception_handler(ApiError)
    async def expected(_: Request, error: ApiError) -> Response:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        return problem_response(_malformed(error))

    @app.exception_handler(HTTPException)
    async def by_the_framework(_: Request, error: HTTPException) -> Response:
        return problem_response(_framework_error(error), dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        _LOG.error("unexpected error in request %s", request_id(), exc_info=error)
        return problem_response(ApiError("something went wrong on our side; tell us the request id"))


def _malformed(error: RequestValidationError) -> MalformedError:
    """Never repeats the input: it may hold a password."""
    problems = tuple(
        FieldProblem(
            field=".".join(str(part) for part in entry["loc"] if part not in ("body", "query", "path", "header")),
            message=str(entry["msg"]),
        )
        for entry in error.errors()
    )
    detail = "; ".join(
        f"{problem.field}: {problem.message}" if problem.field else problem.message for problem in problems
    )
    return MalformedError(detail, errors=problems)


def _framework_error(error: HTTPException) -> ApiError:
    words: dict[int, tuple[str, str]] = {
        400: ("malformed", "The request cannot be read"),
        404: ("not_found", "Not found"),
        405: ("method_not_allowed", "Method not allowed"),
        413: ("too_large", "The request is too large"),
    }
    code, title = words.get(error.status_code, ("http_error", "The request was refused"))
    kind: Any = type("FrameworkError", (ApiError,), {"status": error.status_code, "code": code, "title": title})
    made: ApiError = kind(str(error.detail))
    return made
