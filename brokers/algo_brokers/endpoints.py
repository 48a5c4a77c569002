"""Where a broker is reached. A real broker spreads over several hosts; a simulated one is a single base address.

A simulated broker serves its REST routes at their documented paths and whatever lives on another host in reality under
a fixed prefix, so that one port carries a whole broker.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base addresses without a trailing slash."""

    rest: str
    """Orders and reads."""
    auth: str
    """Calls of the login that this process makes itself."""
    login: str
    """The page that a trader's browser opens."""
    files: str
    """The day's instrument list."""
    market_socket: str
    order_socket: str
    """Empty where order updates come on the market socket."""


def simulated_endpoints(base: str, *, browser: str = "") -> Endpoints:
    """The endpoints of a simulated broker at `base`; `browser`: the same server as a trader's browser reaches it."""
    base = base.rstrip("/")
    socket = base.replace("http", "ws", 1)
    return Endpoints(
        rest=base,
        auth=f"{base}/auth",
        login=f"{(browser or base).rstrip('/')}/auth",
        files=f"{base}/files",
        market_socket=f"{socket}/market-socket",
        order_socket=f"{socket}/order-socket",
    )
