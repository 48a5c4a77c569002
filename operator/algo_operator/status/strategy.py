"""A Strategy's `.status` from what its runner told and what the operator itself knows.

The runner's view is the truth about trading; the operator adds what the runner cannot say: that it does not run, why,
and how a deletion stands. Without a view (no runner yet, Redis away or emptied) the last told status stays.
"""

from dataclasses import dataclass

from algo_crds.contracts.runtime import Desired, Phase, StrategyView
from algo_crds.resources.conditions import DELETING, READY

from algo_operator.decisions import Exposure
from algo_operator.observed import PodState
from algo_operator.problem import Problem
from algo_operator.status.conditions import Condition, merge
from algo_operator.status.translation import translate_view
from algo_operator.vocabulary import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the operator knows about a strategy."""

    strategy_id: str
    desired: Desired
    problem: Problem | None
    exposed: Exposure
    heard: bool
    deleting: bool
    stuck: bool
    pod_name: str | None
    pod: PodState | None
    halts: tuple[str, ...] = ()


def strategy_status(strategy: Manifest, view: StrategyView | None, said: Said, *, now: str) -> Manifest:
    """The whole status to write; `now` is the time of a transition that the operator itself causes."""
    current: Manifest = strategy.get("status", {})
    generation = int(strategy["metadata"].get("generation", 0))
    told = translate_view(view) if view is not None else current
    status: Manifest = {
        **told,
        "strategyId": said.strategy_id,
        "runner": _runner(current, said),
        "conditions": _conditions(current, told, view, said, generation=generation, now=now),
        **_phase(told, view, said, generation=generation),
    }
    return {name: value for name, value in status.items() if value not in (None, [], {})}


def _runner(current: Manifest, said: Said) -> Manifest:
    epoch = current.get("runner", {}).get("epoch")
    runner = {"pod": said.pod_name, "epoch": epoch}
    return {name: value for name, value in runner.items() if value is not None}


def _phase(told: Manifest, view: StrategyView | None, said: Said, *, generation: int) -> Manifest:
    """Phase, reason and message where the operator knows better; nothing where the runner does."""
    observed: Manifest = {"observedGeneration": generation} if view is None or said.pod_name is None else {}
    flat = said.exposed is Exposure.FLAT
    if said.desired is not Desired.RUN and flat and said.heard and told.get("phase") != Phase.FAILED:
        return {"phase": Phase.STOPPED.value, "reason": "Stopped", "message": "flat and stopped", **observed}
    if said.problem is not None and flat:
        problem = {"reason": said.problem.reason, "message": said.problem.message}
        return {"phase": Phase.WAITING.value, **problem, **observed}
    restarted = view is not None and view.generation < generation and told.get("phase") == Phase.STOPPED
    if said.desired is Desired.RUN and flat and (view is None or restarted):
        return {"phase": Phase.WAITING.value, "reason": "Starting", "message": "the runner starts", **observed}
    return {}


def _conditions(
    current: Manifest, told: Manifest, view: StrategyView | None, said: Said, *, generation: int, now: str
) -> list[Manifest]:
    """The runner's conditions with the market's times, `Ready` and `Deleting` with ours."""
    base = {one["type"]: one for one in current.get("conditions", [])}
    if view is not None:
        base |= {one["type"]: one for one in told.get("conditions", [])}
    wanted = []
    if (ready := _ready(view, said)) is not None:
        wanted.append(ready)
    drop = [] if said.deleting else [DELETING]
    if said.deleting:
        wanted.append(_deleting(said))
    kept = {one["type"]: one for one in current.get("conditions", [])}
    told_list = [_keep_time(kept.get(name), one) for name, one in base.items()]
    merged = merge(told_list, wanted, generation=generation, now=now, drop=drop)
    return [_keep_time(kept.get(one["type"]), one) for one in merged]


def _keep_time(before: Manifest | None, after: Manifest) -> Manifest:
    """The condition with its old transition time if its status is the old one."""
    if before is None or before["status"] != after["status"]:
        return after
    return {**after, "lastTransitionTime": before["lastTransitionTime"]}


def _ready(view: StrategyView | None, said: Said) -> Condition | None:
    """`Ready` where the operator must say it: no runner, or one that has not spoken yet."""
    if said.problem is not None:
        return Condition(type=READY, status="False", reason=said.problem.reason, message=said.problem.message)
    if said.pod is None:
        if said.desired is not Desired.RUN and said.pod_name is None:
            return Condition(type=READY, status="False", reason="Stopped", message="no runner is needed")
        return Condition(type=READY, status="False", reason="RunnerStarting", message="the runner's pod is made")
    if said.pod.deadline is not None:
        return Condition(type=READY, status="False", reason="RunnerEnding", message="the runner's pod ends")
    if not said.pod.running:
        reason = said.pod.waiting_reason or "RunnerStarting"
        message = f"the runner's container does not run yet ({reason})"
        return Condition(type=READY, status="False", reason=reason, message=message)
    if view is None or view.epoch < said.pod.epoch:
        return Condition(type=READY, status="False", reason="RunnerStarting", message="the runner reconciles")
    if READY in view.conditions:
        return None
    status = "True" if said.pod.ready else "False"
    reason = "Reconciled" if said.pod.ready else "RunnerStarting"
    return Condition(type=READY, status=status, reason=reason)


def _deleting(said: Said) -> Condition:
    if said.stuck:
        message = "past the deadline with a position; see the events, or set algo.trading/abandon-position"
        return Condition(type=DELETING, status="True", reason="Stuck", message=message)
    reason = "WaitingForFlat" if said.exposed is not Exposure.FLAT else "WaitingForRunner"
    return Condition(type=DELETING, status="True", reason=reason, message="the runner exits the position first")
