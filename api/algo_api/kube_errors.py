"""What the API server refused, in the API's own errors; and what a trader may read of it."""

import contextlib
from collections.abc import Iterator
from typing import Final

from algo_kube import errors as kube

from algo_api.errors import ApiError, ConflictError, FieldProblem, NotFoundError, TradingRuleError, UnavailableError

FIELD_MANAGER: Final = "algo-api"
_RETRY_SECONDS: Final = 2


@contextlib.contextmanager
def answered_by_kube(what: str) -> Iterator[None]:
    """Turns errors of the API server into errors of the API; `what` names the thing for people."""
    try:
        yield
    except kube.KubeError as error:
        raise api_error(error, what) from error


def api_error(error: kube.KubeError, what: str) -> ApiError:
    """The API's error for one of the API server."""
    if isinstance(error, kube.InvalidError):
        problems = tuple(
            FieldProblem(field=cause.field, message=_rule(cause.message)) for cause in error.causes if cause.message
        )
        return TradingRuleError("; ".join(p.message for p in problems) or f"the {what} is not valid", errors=problems)
    if isinstance(error, kube.NotFoundError):
        return NotFoundError(f"there is no such {what}")
    if isinstance(error, kube.ConflictError):
        return ConflictError(f"the {what} has just been changed by somebody else; read it and try again")
    if isinstance(error, kube.ForbiddenError):
        return ConflictError(f"the {what} cannot be written: a quota of your tenant or its deletion forbids it")
    if isinstance(error, kube.TooManyRequestsError | kube.UnavailableError):
        return UnavailableError("the cluster does not answer now", retry_after=int(error.retry_after or _RETRY_SECONDS))
    return UnavailableError("the cluster did not accept the request; the operators know why", retry_after=30)


def not_there_yet(error: kube.KubeError) -> bool:
    """Whether the operator may still have to make what is missing: without its RoleBinding a new namespace answers
    "forbidden", and so does one that does not exist; a server that is busy, or still sets a kind up, has done
    nothing and asks to be asked again. A quota or a deletion does not pass by waiting."""
    if isinstance(error, kube.ForbiddenError):
        return not any(words in str(error) for words in ("exceeded quota", "being terminated"))
    return isinstance(error, kube.NotFoundError | kube.TooManyRequestsError)


def _rule(message: str) -> str:
    """A CEL rule's own sentence: the API server puts `Invalid value: ...: ` before it."""
    head, separator, rule = message.rpartition('": ')
    return rule if separator and head.startswith("Invalid value") else message.removeprefix("Invalid value: ")
