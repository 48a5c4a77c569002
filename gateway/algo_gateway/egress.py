"""Which address order calls leave from: asked of a service that answers with its caller's address.

Regulators want orders to come from one registered address; a changed proxy or NAT is noticed here before an order is
refused for it. The question takes the route of order calls (the account's proxy, IPv4) on a connection of its own, so
that it never stands in an order's way. Nothing is blocked by what it finds, entries neither: the broker itself refuses
orders from another address, a wrong answer of the service would stop a healthy account, and stops and exits must pass
whatever is thought of the address. People are told instead.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec
from algo_brokers.http import AnswerLostError, HttpAnswer, HttpRequest, NothingSentError
from algo_brokers.order_line import create_order_line
from algo_crds.contracts.account_state import EgressState

log: Final = logging.getLogger("algo_gateway.egress")
DIFFERS: Final = "EgressAddressDiffers"
"""Code of the event for people."""
_TIMEOUT_S: Final = 5.0
_LONGEST: Final = 64
"""Bytes of an answer; a page instead of an address is longer."""


class NoAddressError(Exception):
    """The service did not answer with an address; the text says what it did."""


class Egress(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the address in use. `message` is for people."""

    state: EgressState
    address: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between questions."""

    every_s: float = 600.0
    after_failure_s: float = 60.0
    at_least_s: float = 5.0
    """Also where orders are refused one after the other."""


PACE: Final = Pace()
NOT_CHECKED: Final = Egress(
    state=EgressState.NOT_CHECKED,
    message="which address orders leave from is not checked: no address service is set (gateway.addressCheckUrl)",
)
WAITING: Final = Egress(state=EgressState.NOT_CHECKED, message="which address orders leave from was not asked yet")
PAPER: Final = Egress(state=EgressState.NOT_CHECKED, message="a paper account sends no orders")


def address_of(answer: HttpAnswer) -> str:
    """The address in an answer, in its usual spelling. White space around it is allowed, nothing else.

    Raises:
        NoAddressError: another status, or no address.
    """
    if answer.status != 200:
        raise NoAddressError(f"it answered HTTP {answer.status}")
    if len(answer.body) > _LONGEST:
        raise NoAddressError("it answered more than an address")
    try:
        text = answer.body.decode("ascii").strip()
        if "%" in text:  # an address of one link only
            raise NoAddressError("it answered no address")
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise NoAddressError("it answered no address") from None


def judged(address: str, registered: str) -> Egress:
    """What the address in use means, beside the registered one (empty: none)."""
    if not registered:
        text = f"orders leave from {address}; the account names no registered address to compare it with"
        return Egress(state=EgressState.NONE_REGISTERED, address=address, message=text)
    if _same(address, registered):
        text = f"orders leave from the registered address {address}"
        return Egress(state=EgressState.REGISTERED, address=address, message=text)
    text = (
        f"orders leave from {address}, but {registered} is registered with the broker, which refuses orders from any "
        f"other: set the account's proxy (spec.egress.proxyUrl) to one that leaves from {registered}, or register "
        f"{address} with the broker and in spec.egress.registeredAddress"
    )
    return Egress(state=EgressState.DIFFERS, address=address, message=text)


def _same(address: str, registered: str) -> bool:
    try:
        return ipaddress.ip_address(address) == ipaddress.ip_address(registered.strip())
    except ValueError:
        return False


async def ask(url: str, proxy: str) -> str:
    """The address that a service at `url` sees when it is asked by the route of order calls.

    Raises:
        NoAddressError: it could not be reached, or did not answer with an address.
    """
    try:
        parts = urlsplit(url)
        line = create_order_line(f"{parts.scheme}://{parts.netloc}", proxy=proxy)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        request = HttpRequest("GET", target, (("Accept", "text/plain"), ("User-Agent", "algo-trading")))
    except ValueError as error:
        raise NoAddressError(f"its address cannot be used ({error})") from None
    try:
        return address_of(await line.send(request, timeout_s=_TIMEOUT_S))
    except (NothingSentError, AnswerLostError) as error:
        raise NoAddressError(str(error)) from None
    finally:
        await line.close()


class EgressCheck:
    """Keeps the newest finding.

    Args:
        ask: one question; None: nothing is asked, and the finding stays `first`.
        registered: the registered address; empty: none.
        first: what is known before any answer.
        changed: told each finding that is another than the one before.
        pace: how often.
    """

    def __init__(
        self,
        *,
        ask: Callable[[], Awaitable[str]] | None,
        registered: str,
        first: Egress = NOT_CHECKED,
        changed: Callable[[Egress], None],
        pace: Pace,
    ) -> None:
        self.found = first
        self._ask = ask
        self._registered = registered
        self._changed = changed
        self._pace = pace
        self._wanted = asyncio.Event()
        self._last_seen = ""

    def soon(self) -> None:
        """An order was refused for its address: ask again at once, or as soon as the pace allows."""
        self._wanted.set()

    async def run(self) -> None:
        """Ask until cancelled; returns at once where nothing is asked."""
        if self._ask is None:
            return
        while True:
            self._wanted.clear()
            found = await self._look(self._ask)
            if found != self.found:
                self.found = found
                self._changed(found)
            failed = found.state is EgressState.UNREACHABLE
            rest = (self._pace.after_failure_s if failed else self._pace.every_s) - self._pace.at_least_s
            await asyncio.sleep(self._pace.at_least_s)
            try:
                await asyncio.wait_for(self._wanted.wait(), max(rest, 0.0))
            except TimeoutError:
                continue

    async def _look(self, question: Callable[[], Awaitable[str]]) -> Egress:
        try:
            address = await question()
        except NoAddressError as error:
            return self._unreachable(str(error))
        except Exception as error:  # a mistake in here must not take the gateway down
            log.exception("the address in use could not be asked for")
            return self._unreachable(type(error).__name__)
        self._last_seen = address
        return judged(address, self._registered)

    def _unreachable(self, reason: str) -> Egress:
        seen = f"; the last one seen was {self._last_seen}" if self._last_seen else ""
        text = f"the service that tells which address orders leave from gave none: {reason}{seen}"
        return Egress(state=EgressState.UNREACHABLE, message=text)


def egress_check(
    url: str, proxy: str, registered: str, *, paper: bool, changed: Callable[[Egress], None]
) -> EgressCheck:
    """The check of one account; without `url`, or for a paper account, nothing is asked."""
    wanted = url and not paper
    return EgressCheck(
        ask=(lambda: ask(url, proxy)) if wanted else None,
        registered=registered,
        first=PAPER if paper else WAITING if wanted else NOT_CHECKED,
        changed=changed,
        pace=PACE,
    )
