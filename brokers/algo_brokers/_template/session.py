"""Login: every way that the broker has, as builders and parsers, and how long a session lives."""

from collections.abc import Mapping

from algo_brokers.http import HttpAnswer, HttpRequest
from algo_brokers.login import Credentials
from algo_brokers.session import Session


def login_url(*, api_key: str, state: str, base: str) -> str:
    """The broker's login page; `state` comes back with the redirect."""
    raise NotImplementedError


def token_request(credentials: Credentials, callback: Mapping[str, str]) -> HttpRequest:
    """What turns the redirect's parameters into a session."""
    raise NotImplementedError


def session_of(answer: HttpAnswer, *, api_key: str, now: int) -> Session:
    """The session, and until when it lasts."""
    raise NotImplementedError
