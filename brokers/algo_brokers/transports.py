"""HTTP over httpx for reads, logins and everything that is not an order. Orders use `order_line.py`."""

import logging

import httpx

from algo_brokers.http import AnswerLostError, HttpAnswer, HttpRequest, NothingSentError, Transport

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def content_type(header: str) -> str:
    """The media type alone, in lower case."""
    return header.partition(";")[0].strip().lower()


def create_http_transport(client: httpx.AsyncClient, *, base_url: str) -> Transport:
    """A transport over a shared client. The client must not follow redirects and must not retry."""
    base = base_url.rstrip("/")

    async def send(request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
        try:
            answer = await client.request(
                request.method,
                base + request.target,
                headers=list(request.headers),
                content=request.body or None,
                timeout=timeout_s,
                follow_redirects=False,
            )
        except _NOT_SENT as error:
            raise NothingSentError(f"{request}: could not connect ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise AnswerLostError(f"{request}: {type(error).__name__}") from None
        return HttpAnswer(answer.status_code, content_type(answer.headers.get("content-type", "")), answer.content)

    return send


def create_client(*, proxy: str | None = None, connections: int = 8) -> httpx.AsyncClient:
    """A client that ignores proxy variables of the environment: only the account's own egress counts."""
    # httpx writes every URL to its log, and a logout's URL holds the session's token; its parts write headers.
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        proxy=proxy,
        trust_env=False,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=60),
    )
