"""The result of one demo run: what the strategy's own events say, beside what the exchange's book says."""

from dataclasses import dataclass, field
from typing import Any

from algo_local.demo.services import Json, StreamEvent

_CHANGES = ("phase", "condition")


@dataclass
class Follower:
    """What the event stream has said so far; one run has one."""

    view: Json = field(default_factory=dict)
    transitions: list[Json] = field(default_factory=list)
    last_id: str = "0-0"
    """The stream is read from its beginning: what happened before the listener came belongs to the run."""
    stop_price: str | None = None
    """Where the stop stood last. When the run is over the strategy has none any more: the order has become the exit."""

    def take(self, event: StreamEvent) -> None:
        """Remember one event."""
        self.last_id = event.id or self.last_id
        if event.kind == "snapshot":
            self.view = event.data
        elif event.kind in _CHANGES:
            self.transitions.append(transition(event.kind, event.data))
        elif event.kind == "order":
            order = event.data["order"]
            if order["leg"] == "Stop" and order.get("trigger"):
                self.stop_price = order["trigger"]


def transition(kind: str, data: Json) -> Json:
    """One entry of `transitions`."""
    return {
        "kind": kind,
        "name": data.get("name", "phase"),
        "from": data.get("previous"),
        "to": data.get("current"),
        "reason": data.get("reason", ""),
        "time": data.get("time"),
        "wall_time": data.get("wall_time"),
    }


def build_result(follower: Follower, strategy: Json, world: Json, broker: str) -> dict[str, Any]:
    """The JSON object that `algo demo --json` prints as its last line."""
    return {
        "strategy_id": strategy["id"],
        "resource": strategy.get("resource"),
        "broker": broker,
        "world": world["name"],
        "phase": strategy.get("phase"),
        "reason": strategy.get("reason"),
        "message": strategy.get("message"),
        "orders": strategy.get("orders", []),
        "transitions": follower.transitions,
        "entry_price": strategy.get("entry_price"),
        "stop_price": strategy.get("stop_price") or follower.stop_price,
        "exit_price": strategy.get("exit_price"),
        "exit_reason": strategy.get("exit_reason"),
        "pnl": strategy.get("pnl"),
        "unprotected_seconds": strategy.get("unprotected_seconds"),
        "unprotected_session_seconds": strategy.get("unprotected_session_seconds"),
        "ticks": {"seen": strategy.get("ticks_seen", 0), "rejected": strategy.get("ticks_rejected", {})},
        "barrier_timeouts": world.get("barrier_timeouts"),
        "speed_reached": world.get("speed_reached"),
    }


def exit_code(phase: str | None) -> int:
    """0 if flat or Waiting by refusal, 2 if Failed."""
    return 2 if phase == "Failed" else 0
