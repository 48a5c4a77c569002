"""Decisions about positions, pods and finalizers, rule by rule."""

from collections.abc import Callable

import pytest
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType, Side
from algo_crds.contracts.runtime import Desired, OrderView, Phase, StrategyView
from algo_operator.decisions import (
    Exposure,
    PodAction,
    decide_pod,
    decide_release,
    desired_of,
    exposure,
    runner_wanted,
)
from algo_operator.observed import PodState, node_is_gone, node_is_lost, pod_state
from hypothesis import given
from hypothesis import strategies as st


def view(*, held: int = 0, orders: tuple[OrderStatus, ...] = (), generation: int = 1) -> StrategyView:
    return StrategyView(
        strategy_id="str_x",
        epoch=1,
        generation=generation,
        day="2021-04-12",
        now=0,
        phase=Phase.BOUGHT if held else Phase.WAITING,
        reason="",
        message="",
        conditions={},
        held=held,
        orders=tuple(_order(status) for status in orders),
    )


def _order(status: OrderStatus) -> OrderView:
    return OrderView(
        tag="a",
        leg=Leg.ENTRY,
        side=Side.BUY,
        type=OrderType.LIMIT,
        price=1,
        quantity=1,
        status=status,
        time=0,
        wall_time=0,
    )


def pod(**changes: object) -> PodState:
    values: dict[str, object] = {
        "uid": "u",
        "epoch": 5,
        "template": "t1",
        "created_at": 1000.0,
        "deadline": None,
        "phase": "Running",
        "ready": True,
        "running": True,
        "started_ever": True,
        "waiting_reason": "",
        "node": "n",
        "instance": "u/1",
    }
    return PodState(**{**values, **changes})  # type: ignore[arg-type]


def decide(state: PodState | None, **changes: object) -> PodAction:
    values: dict[str, object] = {
        "wanted": True,
        "template": "t1",
        "exposed": Exposure.FLAT,
        "node_lost": False,
        "may_force": True,
        "now": 2000.0,
    }
    return decide_pod(state, **{**values, **changes}).action  # type: ignore[arg-type]


def test_what_was_never_started_is_flat() -> None:
    assert exposure(None, minted=False, started=False) is Exposure.FLAT
    assert exposure(None, minted=True, started=False) is Exposure.FLAT


def test_a_view_that_cannot_be_read_is_never_flat() -> None:
    assert exposure(None, minted=True, started=True) is Exposure.UNKNOWN


def test_a_position_or_a_live_or_unknown_order_is_exposure() -> None:
    assert exposure(view(held=10), minted=True, started=True) is Exposure.OPEN
    assert exposure(view(held=-10), minted=True, started=True) is Exposure.OPEN
    for status in (OrderStatus.UNKNOWN, OrderStatus.SENT, OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING):
        assert exposure(view(orders=(status,)), minted=True, started=True) is Exposure.OPEN
    final = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.NOT_SENT)
    assert exposure(view(orders=final), minted=True, started=True) is Exposure.FLAT


def test_desired() -> None:
    assert desired_of(deleting=False, running=True, keep_on_stop=True) is Desired.RUN
    assert desired_of(deleting=False, running=False, keep_on_stop=True) is Desired.STOP_KEEP
    assert desired_of(deleting=False, running=False, keep_on_stop=False) is Desired.STOP_EXIT
    assert desired_of(deleting=True, running=True, keep_on_stop=True) is Desired.STOP_EXIT


def wanted(desired: Desired, exposed: Exposure, *, valid: bool = True, heard: bool = True, minted: bool = True) -> bool:
    return runner_wanted(desired=desired, valid=valid, exposed=exposed, heard=heard, minted=minted)


def test_a_stopped_strategy_keeps_its_pod_until_flat_and_told() -> None:
    assert wanted(Desired.STOP_EXIT, Exposure.OPEN)
    assert wanted(Desired.STOP_EXIT, Exposure.UNKNOWN)
    assert wanted(Desired.STOP_EXIT, Exposure.FLAT, heard=False)
    assert not wanted(Desired.STOP_EXIT, Exposure.FLAT)
    assert not wanted(Desired.STOP_EXIT, Exposure.FLAT, minted=False)


def test_broken_references_never_take_the_pod_from_a_position() -> None:
    assert wanted(Desired.RUN, Exposure.OPEN, valid=False)
    assert not wanted(Desired.RUN, Exposure.FLAT, valid=False)


def test_create_and_keep() -> None:
    assert decide(None) is PodAction.CREATE
    assert decide(None, wanted=False) is PodAction.NONE
    assert decide(pod()) is PodAction.KEEP
    assert decide(pod(), wanted=False) is PodAction.DELETE


def test_an_outdated_pod_is_rolled_only_when_flat() -> None:
    assert decide(pod(), template="t2") is PodAction.DELETE
    assert decide(pod(), template="t2", exposed=Exposure.OPEN) is PodAction.KEEP
    assert decide(pod(), template="t2", exposed=Exposure.UNKNOWN) is PodAction.KEEP


def test_back_off_is_cut_short_only_with_a_position() -> None:
    crashing = pod(running=False, ready=False, waiting_reason="CrashLoopBackOff")
    assert decide(crashing) is PodAction.KEEP
    assert decide(crashing, exposed=Exposure.OPEN) is PodAction.DELETE
    assert decide(crashing, exposed=Exposure.UNKNOWN) is PodAction.DELETE
    assert decide(crashing, exposed=Exposure.OPEN, now=1002.0) is PodAction.WAIT


def test_a_pod_that_does_not_get_to_run_is_replaced_with_a_position() -> None:
    stuck = pod(running=False, ready=False, phase="Pending", waiting_reason="CreateContainerError")
    assert decide(stuck, exposed=Exposure.OPEN, now=1030.0) is PodAction.WAIT
    assert decide(stuck, exposed=Exposure.OPEN, now=1061.0) is PodAction.DELETE
    assert decide(stuck, now=1061.0) is PodAction.KEEP


def test_a_pod_that_ended_is_replaced() -> None:
    assert decide(pod(phase="Failed")) is PodAction.DELETE
    assert decide(pod(phase="Succeeded"), exposed=Exposure.OPEN) is PodAction.DELETE


def test_a_lost_node_is_left_by_force_with_a_position() -> None:
    assert decide(pod(), node_lost=True, exposed=Exposure.OPEN) is PodAction.FORCE_DELETE
    assert decide(pod(), node_lost=True) is PodAction.DELETE
    assert decide(pod(), node_lost=True, exposed=Exposure.OPEN, may_force=False) is PodAction.DELETE


def test_termination_gets_its_grace_then_force() -> None:
    ending = pod(deadline=1990.0)
    assert decide(ending, exposed=Exposure.OPEN, now=1980.0) is PodAction.WAIT
    assert decide(ending, exposed=Exposure.OPEN, now=1996.0) is PodAction.FORCE_DELETE
    assert decide(ending, exposed=Exposure.FLAT, now=1996.0) is PodAction.WAIT
    assert decide(ending, exposed=Exposure.FLAT, now=2051.0) is PodAction.FORCE_DELETE
    assert decide(ending, exposed=Exposure.OPEN, now=1980.0, node_lost=True) is PodAction.FORCE_DELETE
    assert decide(ending, exposed=Exposure.OPEN, now=9999.0, may_force=False) is PodAction.WAIT


def release(**changes: object) -> tuple[bool, bool]:
    values: dict[str, object] = {
        "exposed": Exposure.OPEN,
        "heard": True,
        "live": True,
        "held": 10,
        "abandon": None,
        "deleted_at": 1000.0,
        "deadline_seconds": 600.0,
        "now": 1100.0,
    }
    verdict = decide_release(**{**values, **changes})  # type: ignore[arg-type]
    return verdict.release, verdict.stuck


def test_the_finalizer_waits_for_flat_and_for_the_runner_to_know() -> None:
    assert release(exposed=Exposure.FLAT) == (True, False)
    assert release(exposed=Exposure.FLAT, heard=False) == (False, False)
    assert release() == (False, False)


def test_with_real_money_the_deadline_only_alerts() -> None:
    assert release(now=1601.0) == (False, True)
    assert release(now=1601.0, exposed=Exposure.UNKNOWN, held=None) == (False, True)
    assert release(now=1601.0, live=False) == (True, False)


def test_a_person_must_name_exactly_what_is_given_up() -> None:
    assert release(abandon="10") == (True, False)
    assert release(abandon="9") == (False, False)
    assert release(abandon="true") == (False, False)
    assert release(abandon="None", held=None) == (False, False)


@given(
    exposed=st.sampled_from([Exposure.OPEN, Exposure.UNKNOWN]),
    heard=st.booleans(),
    held=st.one_of(st.none(), st.integers(1, 100)),
    now=st.floats(1000, 10**7),
    abandon=st.one_of(st.none(), st.text(max_size=3)),
)
def test_real_money_is_never_released_without_a_person(
    exposed: Exposure, heard: bool, held: int | None, now: float, abandon: str | None
) -> None:
    released, _ = release(exposed=exposed, heard=heard, held=held, now=now, abandon=abandon)
    assert not released or (abandon is not None and held is not None and abandon.strip() == str(held))


@given(
    deadline=st.one_of(st.none(), st.floats(0, 10**6)),
    phase=st.sampled_from(["Pending", "Running", "Unknown"]),
    running=st.booleans(),
    reason=st.sampled_from(["", "CrashLoopBackOff", "ErrImagePull"]),
    exposed=st.sampled_from(list(Exposure)),
    template=st.sampled_from(["t1", "t2"]),
    node_lost=st.booleans(),
    now=st.floats(0, 10**6),
)
def test_a_pod_is_never_forced_away_where_its_process_cannot_be_fenced(
    deadline: float | None,
    phase: str,
    running: bool,
    reason: str,
    exposed: Exposure,
    template: str,
    node_lost: bool,
    now: float,
) -> None:
    state = pod(deadline=deadline, phase=phase, running=running, waiting_reason=reason)
    action = decide(state, template=template, exposed=exposed, node_lost=node_lost, now=now, may_force=False)
    assert action is not PodAction.FORCE_DELETE


def test_pod_state_reads_what_the_kubelet_writes() -> None:
    read = pod_state(
        {
            "metadata": {
                "uid": "u",
                "creationTimestamp": "2026-11-25T10:00:00Z",
                "annotations": {"algo.trading/epoch": "7", "algo.trading/template": "t"},
            },
            "spec": {"nodeName": "n"},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "False"}],
                "containerStatuses": [
                    {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "containerID": "c"}
                ],
            },
        }
    )
    assert read is not None
    assert (read.epoch, read.template, read.ready, read.running) == (7, "t", False, False)
    assert read.started_ever
    assert read.waiting_reason == "CrashLoopBackOff"
    assert pod_state(None) is None


def test_node_state() -> None:
    lease: Callable[[str], dict[str, object]] = lambda at: {"spec": {"renewTime": at}}  # noqa: E731
    node = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}, "spec": {}}
    now = 1_800_000_000.0
    assert node_is_lost(None, None, now=now)
    assert not node_is_lost(node, None, now=now)
    assert not node_is_lost(node, lease("2027-01-15T07:59:50.000000Z"), now=now)
    assert node_is_lost(node, lease("2027-01-15T07:59:20.000000Z"), now=now)
    assert not node_is_gone(node)
    assert node_is_gone(None)
    assert node_is_gone({"spec": {"taints": [{"key": "node.kubernetes.io/out-of-service"}]}})


@pytest.mark.parametrize("status", list(OrderStatus))
def test_every_order_state_is_either_final_or_exposure(status: OrderStatus) -> None:
    final = {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.NOT_SENT}
    expected = Exposure.FLAT if status in final else Exposure.OPEN
    assert exposure(view(orders=(status,)), minted=True, started=True) is expected
