"""A BrokerAccount's `.status` from what its gateway wrote to Redis and what the operator knows of its pod."""

from collections.abc import Mapping
from dataclasses import dataclass

from algo_crds.contracts.account_state import EgressState
from algo_crds.contracts.clock import format_instant
from algo_crds.resources.conditions import BROKER_SESSION, DELETING, EGRESS_ADDRESS, FEED_FRESH, READY

from algo_operator.observed import PodState
from algo_operator.problem import Problem
from algo_operator.specs import AccountSpec
from algo_operator.status.conditions import Condition, merge
from algo_operator.vocabulary import Manifest

_BREAKERS = {
    "closed": "Closed",
    "open": "Open",
    "halfopen": "HalfOpen",
    "half_open": "HalfOpen",
    "half-open": "HalfOpen",
}
_TRUE = frozenset({"1", "true", "connected", "yes", "up", "fresh", "polling"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSaid:
    """What the operator knows about an account."""

    spec: AccountSpec
    simulated: bool
    problem: Problem | None
    pod: PodState | None
    pod_name: str | None
    halted: bool
    deleting: bool
    waiting_for: tuple[str, ...] = ()
    """Names of strategies that must be flat before the gateway goes."""


def account_status(
    account: Manifest, state: Mapping[str, str] | None, said: AccountSaid, *, now: str, now_ms: int
) -> Manifest:
    """The whole status to write. `state` is the gateway's hash; None when Redis does not answer."""
    current: Manifest = account.get("status", {})
    generation = int(account["metadata"].get("generation", 0))
    told = _told(state, said.spec) if state is not None else _kept(current)
    conditions = [_ready(said), _session(state, said, current, now_ms=now_ms), _feed(state), _egress(state)]
    wanted = [one for one in conditions if one is not None]
    if said.deleting:
        waiting = ", ".join(said.waiting_for) or "nothing"
        message = f"waits for strategies to be flat: {waiting}"
        wanted.append(Condition(type=DELETING, status="True", reason="WaitingForStrategies", message=message))
    drop = [] if said.deleting else [DELETING]
    merged = merge(current.get("conditions", []), wanted, generation=generation, now=now, drop=drop)
    status: Manifest = {
        **told,
        "conditions": merged,
        "accountId": said.spec.account_id,
        "observedGeneration": generation,
        "simulated": said.simulated,
        "halted": said.halted,
        "gateway": {"pod": said.pod_name} if said.pod_name else None,
        "message": _message(merged, said),
    }
    return {name: value for name, value in status.items() if value not in (None, [], {}, "")}


def _told(state: Mapping[str, str], spec: AccountSpec) -> Manifest:
    valid_until = _integer(state.get("session_valid_until"))
    orders = state.get("orders_today", "")
    breaker = state.get("breaker", "").lower()
    return {
        "sessionValidUntil": format_instant(valid_until) if valid_until and not spec.paper else None,
        "feedConnected": state["feed"].lower() in _TRUE if "feed" in state else None,
        "breaker": _BREAKERS.get(breaker),
        "egressAddress": state.get("egress") or None,
        "ordersToday": _integer(orders) if orders else None,
    }


def _kept(current: Manifest) -> Manifest:
    names = ("sessionValidUntil", "feedConnected", "breaker", "egressAddress", "ordersToday")
    return {name: current.get(name) for name in names}


def _ready(said: AccountSaid) -> Condition:
    if said.problem is not None:
        return Condition(type=READY, status="False", reason=said.problem.reason, message=said.problem.message)
    if said.pod is None or not said.pod.running:
        reason = (said.pod.waiting_reason if said.pod else "") or "GatewayStarting"
        return Condition(type=READY, status="False", reason=reason, message="the gateway does not run yet")
    if not said.pod.ready:
        return Condition(type=READY, status="False", reason="GatewayNotReady", message="the gateway is not ready yet")
    return Condition(type=READY, status="True", reason="GatewayReady", message="the gateway serves")


def _session(state: Mapping[str, str] | None, said: AccountSaid, current: Manifest, *, now_ms: int) -> Condition | None:
    if said.spec.paper:
        return Condition(type=BROKER_SESSION, status="True", reason="Paper", message="a paper account needs no login")
    if state is None and current.get("conditions"):
        return None
    valid_until = _integer((state or {}).get("session_valid_until"))
    clock = _integer((state or {}).get("now")) or now_ms
    if said.simulated and valid_until:
        clock = min(clock, valid_until - 1)  # a simulated session is valid in the time of its world
    if valid_until > clock:
        return Condition(type=BROKER_SESSION, status="True", reason="LoggedIn", message="the account is logged in")
    identifier = said.spec.account_id
    how = (
        f"log in: in the app open Brokers and choose Log in, or POST /api/v1/broker-accounts/{identifier}/login "
        "and open the login_url that it answers"
    )
    return Condition(type=BROKER_SESSION, status="False", reason="LoginNeeded", message=how)


def _feed(state: Mapping[str, str] | None) -> Condition | None:
    if state is None or "feed" not in state:
        return None
    up = state["feed"].lower() in _TRUE
    reason = "FeedConnected" if up else "FeedDown"
    return Condition(type=FEED_FRESH, status="True" if up else "False", reason=reason, message=state["feed"][:200])


def _egress(state: Mapping[str, str] | None) -> Condition | None:
    """Whether orders leave from the registered address, as the gateway found out."""
    if state is None or not state.get("egress_state"):
        return None
    reason = state["egress_state"]
    status = {EgressState.REGISTERED.value: "True", EgressState.DIFFERS.value: "False"}.get(reason, "Unknown")
    return Condition(type=EGRESS_ADDRESS, status=status, reason=reason, message=state.get("egress_message", ""))


def _message(conditions: list[Manifest], said: AccountSaid) -> str:
    if said.problem is not None:
        return said.problem.message
    failing = {one["type"]: str(one["message"]) for one in conditions if one["status"] == "False"}
    return failing.get(BROKER_SESSION) or failing.get(EGRESS_ADDRESS) or ""


def _integer(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
