"""Decisions about positions, pods and finalizers: pure functions, each a short table of rules.

The rule behind all of them: unknown is a state. What could not be read is never taken for "flat".
"""

from dataclasses import dataclass
from enum import StrEnum

from algo_crds.contracts.orders import FINAL
from algo_crds.contracts.runtime import Desired, StrategyView

from algo_operator.observed import PodState

FORCE_AFTER_SECONDS = 5.0
FORCE_AFTER_IDLE_SECONDS = 60.0
STUCK_SECONDS = 60.0
MIN_AGE_SECONDS = 10.0
"""A pod is not replaced younger than this: a crash at once must not become a loop of new pods."""


class Exposure(StrEnum):
    """Whether a strategy may have shares or live orders."""

    FLAT = "Flat"
    OPEN = "Open"
    UNKNOWN = "Unknown"


class PodAction(StrEnum):
    """What to do about a pod now."""

    KEEP = "Keep"
    CREATE = "Create"
    DELETE = "Delete"
    FORCE_DELETE = "ForceDelete"
    WAIT = "Wait"
    NONE = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodDecision:
    """An action, why, and when to look again (seconds)."""

    action: PodAction
    reason: str = ""
    message: str = ""
    again: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Whether the finalizer may go, and if not, what to say."""

    release: bool
    stuck: bool = False
    message: str = ""


def exposure(view: StrategyView | None, *, minted: bool, started: bool) -> Exposure:
    """What is known of a strategy's position.

    Args:
        view: what the runner last said; None if it could not be read or there is none.
        minted: an epoch was ever given out, so a runner may have traded.
        started: a container of the runner ever ran, or the resource's status tells of a trade.
    """
    if view is None:
        return Exposure.UNKNOWN if minted and started else Exposure.FLAT
    if view.held != 0 or any(order.status not in FINAL for order in view.orders):
        return Exposure.OPEN
    return Exposure.FLAT


def desired_of(*, deleting: bool, running: bool, keep_on_stop: bool) -> Desired:
    """What the runner is told. A deletion always exits: nothing would guard a kept position afterwards."""
    if deleting:
        return Desired.STOP_EXIT
    if running:
        return Desired.RUN
    return Desired.STOP_KEEP if keep_on_stop else Desired.STOP_EXIT


def runner_wanted(*, desired: Desired, valid: bool, exposed: Exposure, heard: bool, minted: bool) -> bool:
    """Whether a strategy needs its pod.

    One that is to stop keeps it until it is flat and has heard of the stop; one that never ran needs none; one whose
    references broke keeps it as long as it may hold shares.
    """
    if desired is Desired.RUN:
        return valid or exposed is not Exposure.FLAT
    if not minted:
        return False
    return exposed is not Exposure.FLAT or not heard


def decide_pod(
    pod: PodState | None,
    *,
    wanted: bool,
    template: str,
    exposed: Exposure,
    node_lost: bool,
    may_force: bool,
    now: float,
) -> PodDecision:
    """What to do about a pod of a fixed name.

    Args:
        pod: as observed.
        wanted: whether there should be one.
        template: digest of what a new one would be made from.
        exposed: whether the strategy (for a gateway: any strategy of the account) may hold shares.
        node_lost: its node does not answer.
        may_force: a second process could do no harm (an order door or an egress proxy fences the old one).
        now: Unix seconds.
    """
    if pod is None:
        return PodDecision(action=PodAction.CREATE if wanted else PodAction.NONE)
    if pod.deadline is not None:
        return _ending(pod, exposed=exposed, node_lost=node_lost, may_force=may_force, now=now)
    if not wanted:
        return PodDecision(action=PodAction.DELETE, reason="NotNeeded", message="flat and stopped: the pod is removed")
    if pod.phase in {"Failed", "Succeeded"}:
        message = f"the pod ended ({pod.phase}) and is replaced"
        return PodDecision(action=PodAction.DELETE, reason="PodEnded", message=message)
    if node_lost:
        action = PodAction.FORCE_DELETE if may_force and exposed is not Exposure.FLAT else PodAction.DELETE
        return PodDecision(action=action, reason="NodeLost", message=f"node {pod.node} does not answer")
    if exposed is not Exposure.FLAT:
        return _exposed(pod, now=now)
    if pod.template != template:
        message = "flat: the pod is replaced by one of the current version"
        return PodDecision(action=PodAction.DELETE, reason="OutOfDate", message=message)
    return PodDecision(action=PodAction.KEEP)


def decide_release(
    *,
    exposed: Exposure,
    heard: bool,
    live: bool,
    held: int | None,
    abandon: str | None,
    deleted_at: float,
    deadline_seconds: float,
    now: float,
) -> Release:
    """Whether a Strategy that is being deleted may go.

    Only when flat; or when a person names the quantity that is given up; or, for paper money, at the deadline.
    """
    if exposed is Exposure.FLAT and heard:
        return Release(release=True, message="flat and every order final")
    if abandon is not None and held is not None and abandon.strip() == str(held):
        return Release(release=True, message=f"a person gave up the position of {held}; its resting stop stays")
    what = "no one can say what it holds" if exposed is Exposure.UNKNOWN else "a position or live order is left"
    if exposed is Exposure.FLAT:
        what = "the runner has not confirmed the stop yet"
    if now - deleted_at < deadline_seconds:
        return Release(release=False, message=f"waiting: {what}")
    if not live:
        return Release(release=True, message=f"paper money: released at the deadline although {what}")
    quantity = "?" if held is None else held
    hint = f"square it off, or set the annotation algo.trading/abandon-position to the quantity held ({quantity})"
    return Release(release=False, stuck=True, message=f"{what}: {hint}")


def _ending(pod: PodState, *, exposed: Exposure, node_lost: bool, may_force: bool, now: float) -> PodDecision:
    assert pod.deadline is not None
    patience = FORCE_AFTER_IDLE_SECONDS if exposed is Exposure.FLAT else FORCE_AFTER_SECONDS
    forced_at = pod.deadline + patience
    if may_force and (now >= forced_at or (node_lost and exposed is not Exposure.FLAT)):
        reason = "NodeLost" if node_lost else "StuckTerminating"
        message = "the pod does not end and is removed by force; the order door fences its process"
        return PodDecision(action=PodAction.FORCE_DELETE, reason=reason, message=message)
    return PodDecision(action=PodAction.WAIT, again=max(1.0, min(forced_at - now, 10.0)))


def _exposed(pod: PodState, *, now: float) -> PodDecision:
    age = now - pod.created_at
    if pod.waiting_reason == "CrashLoopBackOff":
        if age < MIN_AGE_SECONDS:
            return PodDecision(action=PodAction.WAIT, again=MIN_AGE_SECONDS - age)
        message = "in back-off with a position open: a new pod starts at once"
        return PodDecision(action=PodAction.DELETE, reason="BackOff", message=message)
    if not pod.running and pod.waiting_reason:
        if age < STUCK_SECONDS:
            return PodDecision(action=PodAction.WAIT, again=STUCK_SECONDS - age)
        message = f"not running for {int(age)} s ({pod.waiting_reason}) with a position open: it is replaced"
        return PodDecision(action=PodAction.DELETE, reason="Stuck", message=message)
    return PodDecision(action=PodAction.KEEP)
