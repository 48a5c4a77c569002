"""What became of a write. A time-out is `Unknown`, never "failed": the order may stand at the exchange."""

import msgspec
from algo_crds.contracts.orders import RejectKind


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's HTTP success; never a state of the order."""

    broker_order_id: str


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A certain refusal: nothing was done."""

    kind: RejectKind
    message: str = ""
    session_over: bool = False
    """The broker said that the session itself is dead: log in again."""


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome was not seen. Look in the order book before anything else."""

    reason: str


WriteOutcome = Accepted | Rejected | Unknown
