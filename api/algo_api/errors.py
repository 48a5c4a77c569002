"""Every error that leaves the API, as one tree, and its form on the wire: `application/problem+json` (RFC 9457).

    ApiError
    ├── TradingRuleError      400  strategy data that breaks a trading rule
    ├── UnauthenticatedError  401  no token, or one that is wrong, expired or revoked
    ├── ForbiddenError        403  the caller may not do this
    ├── NotFoundError         404  no such thing, or not the caller's
    ├── ConflictError         409  the state of the thing forbids it
    ├── MalformedError        422  the request cannot be read
    ├── RateLimitedError      429  too many requests; says when to try again
    └── UnavailableError      503  something behind the API is away; says when to try again

`code` is stable: clients decide by it, never by the words.
"""

from typing import ClassVar

from pydantic import BaseModel, Field

PROBLEM_MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:algo-trading:problem:"


class FieldProblem(BaseModel):
    """What is wrong with one field; never repeats the value."""

    field: str = Field(description="Path of the field, for example stop_loss.percent.")
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str = Field(description="A URN that names the kind of error.")
    title: str = Field(description="The kind of error in words.")
    status: int = Field(description="HTTP status.")
    code: str = Field(description="Stable code of the kind of error.")
    detail: str = Field(description="What happened and what to do about it.")
    errors: list[FieldProblem] = Field(default_factory=list, description="What is wrong with which field.")
    request_id: str | None = Field(default=None, description="Id of the request, as in the server's log.")


class ApiError(Exception):
    """Base of what a service raises and the edge answers."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Unexpected error"

    def __init__(self, detail: str, *, errors: tuple[FieldProblem, ...] = (), retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after


class TradingRuleError(ApiError):
    """Strategy data that breaks a trading rule."""

    status, code, title = 400, "trading_rule", "A trading rule is broken"


class UnauthenticatedError(ApiError):
    """No valid token."""

    status, code, title = 401, "unauthenticated", "Sign in first"


class ForbiddenError(ApiError):
    """The caller is known and may not do this."""

    status, code, title = 403, "forbidden", "Not allowed"


class NotFoundError(ApiError):
    """No such thing, or not the caller's: the two look the same on purpose."""

    status, code, title = 404, "not_found", "Not found"


class ConflictError(ApiError):
    """The present state forbids it."""

    status, code, title = 409, "conflict", "Conflict with the present state"


class MalformedError(ApiError):
    """The request cannot be read."""

    status, code, title = 422, "malformed", "The request cannot be read"


class RateLimitedError(ApiError):
    """Too many requests."""

    status, code, title = 429, "rate_limited", "Too many requests"


class UnavailableError(ApiError):
    """Something that the request needs is away for now."""

    status, code, title = 503, "unavailable", "Try again shortly"


def problem_of(error: ApiError, request_id: str | None) -> Problem:
    """The wire form of an error."""
    return Problem(
        type=_TYPE_PREFIX + error.code,
        title=error.title,
        status=error.status,
        code=error.code,
        detail=error.detail,
        errors=list(error.errors),
        request_id=request_id,
    )


def documented(*kinds: type[ApiError]) -> dict[int | str, dict[str, object]]:
    """OpenAPI `responses` of the error kinds that a route may answer."""
    always: tuple[type[ApiError], ...] = (MalformedError, ApiError)
    return {
        kind.status: {
            "description": kind.title,
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for kind in (*kinds, *always)
    }
