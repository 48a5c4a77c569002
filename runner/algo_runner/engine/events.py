"""What can happen to a strategy: the gateway's messages as they come, and the shell's own few.

The shell passes every `wire` message of the gateway (except `Beat`) to `step` unchanged and in order, ticks included:
the tick checks stand at the head of the engine, so nothing is checked twice. For time to pass it sends `Clock`:

* when session time reaches the newest `WakeAt` (in a replayed market, while handling the `Beat` that brings it);
* nothing else is needed, but more `Clock` events never hurt.

`Disconnected` is sent when the connection to the gateway is lost; the engine itself decides that unanswered calls have
an unknown outcome. `JournalHealth(writable=False)` is sent when the runner cannot renew its lease or Redis is away:
entries stop, protection and exits go on. `SpecChanged` carries the newest `RuntimeSpec`, whatever changed in it.
"""

from enum import StrEnum
from typing import Final

import msgspec
from algo_crds.contracts import wire
from algo_crds.contracts.runtime import RuntimeSpec


class Clock(msgspec.Struct, frozen=True):
    """Session time has passed; `now` of the step says how far."""


class SpecChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The operator wrote another spec, desired state, halt or deletion."""

    spec: RuntimeSpec


class Disconnected(msgspec.Struct, frozen=True, kw_only=True):
    """The connection to the gateway is gone; the next message is a `Welcome`."""

    reason: str = ""


class JournalHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the journal can be written (lease held, Redis there). True until told otherwise."""

    writable: bool
    reason: str = ""


class CommandKind(StrEnum):
    """What a person may ask of the engine besides the spec."""

    START = "start"
    STOP = "stop"
    KILL = "kill"
    RETRY = "retry"
    DISCARD = "discard"
    FORCE = "force"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A person's request. `retry` and `discard` name an entry of the order queue by its tag.

    `discard` without a tag clears a Failed run: `note` must say what became of the shares. `force` names a sell of
    unknown outcome that a person calls absent, at the risk of a second sell.
    """

    kind: CommandKind
    actor: str = ""
    tag: str = ""
    note: str = ""


Event = (
    wire.Tick
    | Clock
    | wire.Row
    | wire.Accepted
    | wire.Rejected
    | wire.NotSent
    | wire.Unknown
    | wire.Book
    | wire.Positions
    | wire.UpdatesGap
    | wire.FeedHealth
    | wire.BrokerHealth
    | wire.Welcome
    | wire.SessionChanged
    | wire.EpochLost
    | SpecChanged
    | Disconnected
    | JournalHealth
    | Command
)
"""Everything `step` accepts. Any other object is ignored."""

CLOCK: Final = Clock()
