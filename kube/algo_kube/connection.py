"""The wire to the API server: configuration and HTTP of the official package's asyncio client, no generated models.

The official REST object brings TLS, proxies and connection pool; its configuration loaders bring kubeconfig files with
their exec plugins and the pod's own service account, whose token is read again each minute. Its retries stay off: the
caller knows what may be repeated.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import msgspec
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from algo_kube.errors import KubeError, UnavailableError, error_of

CONNECT_SECONDS: Final = 5.0
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_NETWORK: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


async def load_configuration(kubeconfig: Path | None = None, *, context: str | None = None) -> Configuration:
    """Configuration from a kubeconfig file, else from the pod's service account, else from `KUBECONFIG` or the home
    folder.

    Raises:
        KubeError: none of them is there, or it cannot be read.
    """
    configuration = Configuration()
    try:
        if kubeconfig is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
            kube_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await kube_config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=str(kubeconfig) if kubeconfig else None,
                context=context,
                client_configuration=configuration,
                persist_config=False,
            )
    except kube_config.ConfigException as error:
        raise KubeError(f"no way to the cluster: {error}; set KUBECONFIG or run in a pod") from error
    configuration.retries = None
    return configuration


class Connection:
    """One pool of connections to one API server."""

    def __init__(self, configuration: Configuration, *, request_seconds: float, user_agent: str) -> None:
        self._configuration = configuration
        self._rest = RESTClientObject(configuration)
        self._request_seconds = request_seconds
        self._user_agent = user_agent

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Any:
        """One call. JSON comes back decoded, with `Decimal` for fractions; anything else as text.

        Raises:
            KubeError: the typed error of the answer, `UnavailableError` without one.
        """
        timeout = aiohttp.ClientTimeout(total=self._request_seconds, sock_connect=CONNECT_SECONDS)
        response = await self._send(method, path, query, body, content_type, timeout)
        try:
            data = await response.read()
        except _NETWORK as error:
            raise UnavailableError(f"{method} {path}: the answer broke off ({_name(error)})") from error
        if response.status >= 400:
            raise _refusal(response, data)
        if response.content_type != "application/json":
            return data.decode(errors="replace")
        return _decode(data)

    async def lines(self, path: str, *, query: Mapping[str, str], idle_seconds: float) -> AsyncIterator[dict[str, Any]]:
        """The JSON lines of a long answer (a watch), until the server ends it.

        Raises:
            KubeError: as `call`; `UnavailableError` when nothing came for `idle_seconds`.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=idle_seconds)
        response = await self._send("GET", path, query, None, "application/json", timeout)
        try:
            if response.status >= 400:
                raise _refusal(response, await response.read())
            rest = b""
            async for chunk in response.content.iter_any():
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    if line:
                        yield _decode(line)
        except _NETWORK as error:
            raise UnavailableError(f"GET {path}: the watch broke off ({_name(error)})") from error
        finally:
            response.close()

    async def close(self) -> None:
        """Close the pool."""
        await self._rest.close()

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        content_type: str,
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        url = f"{self._configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Content-Type": content_type, "Accept": "application/json, */*", "User-Agent": self._user_agent}
        authorization = await self._configuration.get_api_key_with_prefix("BearerToken")
        if authorization:
            headers["Authorization"] = authorization
        try:
            answer = await self._rest.request(  # type: ignore[no-untyped-call]
                method, url, headers=headers, body=_plain(body), _request_timeout=timeout
            )
        except _NETWORK as error:
            raise UnavailableError(f"{method} {path}: no answer from the API server ({_name(error)})") from error
        response: aiohttp.ClientResponse = answer.response
        return response


def _plain(value: Any) -> Any:
    """A tree without `Decimal`: the shortest text of the nearest double is the same number of four decimals."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _refusal(response: aiohttp.ClientResponse, data: bytes) -> KubeError:
    body: Any = None
    with contextlib.suppress(msgspec.DecodeError):
        body = _decode(data)
    if not isinstance(body, dict):
        body = {"message": data.decode(errors="replace")[:500]}
    retry_after = response.headers.get("Retry-After", "")
    return error_of(response.status, body, float(retry_after) if retry_after.isdigit() else None)


def _name(error: BaseException) -> str:
    return str(error) or type(error).__name__
