"""Id of the request being served, for the log and the audit log."""

from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def request_id() -> str | None:
    """The id of the running request; None outside one."""
    return _current.get()


def enter_request(identifier: str) -> None:
    """Marks what follows in this task as part of a request."""
    _current.set(identifier)
