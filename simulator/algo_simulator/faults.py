"""The switches that make a simulated broker misbehave, each as a real one was seen to.

Counters count down with use; -1 means always. All times are session time.
"""

import msgspec
from algo_crds.contracts.orders import RejectKind, Side


class Faults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The switches of one account."""

    latency_ms: int = 0
    """Every answer waits so long."""
    order_latency_ms: int = 0
    """Answers to place, modify and cancel wait so much longer."""
    lose_answers: int = 0
    """The next writes are carried out and their connection is then dropped without an answer."""
    lost_after_ms: int = 7_000
    """How long the caller of a lost answer waits before the connection drops."""
    fail_before: int = 0
    """The next writes end in `fail_status` and nothing is stored."""
    fail_after: int = 0
    """The next writes are carried out and answered with `fail_status`."""
    fail_reads: int = 0
    """The next reads end in `fail_status`."""
    fail_status: int = 502
    reject: int = 0
    """The next new orders are refused with `reject_kind`."""
    reject_kind: RejectKind = RejectKind.MARGIN
    reject_side: Side | None = None
    """Only orders of this side."""
    reject_in_answer: bool = False
    """Refuse in the HTTP answer instead of in the order's row."""
    rate_limit: int = 0
    """The next calls are answered 429."""
    refuse_address: bool = False
    """Order calls are refused as from an unregistered address."""
    mute_feed: bool = False
    """Market sockets stay open and send heartbeats but no price."""
    drop_updates: int = 0
    """The next order updates are never sent."""
    duplicate_updates: int = 0
    """The next order updates are sent twice."""
    delay_updates_ms: int = 0
    """Order updates are sent so much later."""


def patched(faults: Faults, changes: dict[str, object]) -> Faults:
    """The switches with some of them set.

    Raises:
        msgspec.ValidationError: an unknown switch or a value of another type; the message names it.
    """
    return msgspec.convert({**msgspec.to_builtins(faults), **changes}, Faults)


def use(faults: Faults, counter: str) -> bool:
    """Whether a counted switch is on; counts it down."""
    left: int = getattr(faults, counter)
    if left > 0:
        setattr(faults, counter, left - 1)
    return left != 0
