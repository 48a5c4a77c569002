"""What the API server may answer instead of what was asked for.

KubeError
 +-- NotFoundError             404
 +-- ConflictError             409: the object has changed, or a field belongs to another manager
 |    +-- AlreadyExistsError   409: an object of this name exists
 +-- InvalidError              422 (apply: also 500): refused by schema, CEL or validation; `causes` says where and why
 +-- BadRequestError           400 and other refusals of the request itself
 +-- UnauthorizedError         401
 +-- ForbiddenError            403: RBAC, quota or Pod Security
 +-- GoneError                 410: the resourceVersion or continue token is too old; list again
 +-- TooManyRequestsError      429
 +-- UnavailableError          5xx, time-out, no connection

The last two may be tried again; a write only if it is idempotent (apply, patch of absolute values, delete).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason of a refusal: the field's path and the sentence for people."""

    field: str
    message: str
    reason: str = ""


class KubeError(Exception):
    """An answer of the API server that is no success."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        """Seconds after which another try may succeed, if the server said so."""


class NotFoundError(KubeError):
    """There is no such object, or no such kind."""


class ConflictError(KubeError):
    """The object is not what the writer thought it was; read it again."""


class AlreadyExistsError(ConflictError):
    """An object of this name exists."""


class InvalidError(KubeError):
    """The object breaks a rule of its kind."""

    def __init__(self, message: str, *, causes: tuple[Cause, ...], status: int = 422, reason: str = "Invalid") -> None:
        super().__init__(message, status=status, reason=reason)
        self.causes = causes


class BadRequestError(KubeError):
    """The request itself is wrong."""


class UnauthorizedError(KubeError):
    """The credentials are missing, wrong or expired."""


class ForbiddenError(KubeError):
    """The caller may not do this, or a quota or policy stands against it."""


class GoneError(KubeError):
    """The version to go on from is too old; list again."""


class TooManyRequestsError(KubeError):
    """The API server asks to slow down."""


class UnavailableError(KubeError):
    """No usable answer: whether a write was done is unknown."""


_BY_STATUS: Mapping[int, type[KubeError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    429: TooManyRequestsError,
}


def error_of(status: int, body: Mapping[str, Any], retry_after: float | None = None) -> KubeError:
    """The typed error of a `Status` object (Kubernetes API conventions, "Response status kind")."""
    message = str(body.get("message") or f"the API server answered {status}")
    reason = str(body.get("reason") or "")
    details = body.get("details") or {}
    if status == 500 and message.startswith("failed to create typed patch object"):
        # Server-side apply answers 500 to a manifest that does not fit the schema; repeating it can never help.
        return InvalidError(message, causes=(), status=status)
    if status == 422:
        causes = tuple(
            Cause(str(cause.get("field", "")), str(cause.get("message", "")), str(cause.get("reason", "")))
            for cause in details.get("causes") or ()
        )
        return InvalidError(message, causes=causes, reason=reason or "Invalid")
    if retry_after is None and details.get("retryAfterSeconds"):
        retry_after = float(details["retryAfterSeconds"])
    kind = _BY_STATUS.get(status, UnavailableError if status >= 500 else BadRequestError)
    if reason == "AlreadyExists":
        kind = AlreadyExistsError
    return kind(message, status=status, reason=reason, retry_after=retry_after)
