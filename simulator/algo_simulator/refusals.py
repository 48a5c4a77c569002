"""Why an order is refused, put into a broker's words: the rules are the exchange's, only the words are its own."""

from collections.abc import Mapping
from typing import Final

from algo_crds.contracts.orders import RejectKind, Side
from algo_market.order_rules import Refused

from algo_simulator.faults import Faults, use

Texts = Mapping[RejectKind, str]
"""A broker's text by kind. `{detail}` stands for what exactly was wrong, `{side}` for the order's side and `{where}`
for where the trigger of a stop of that side must be."""
CLOSED: Final = Refused(RejectKind.CLOSED, "market hours")


def worded(refused: Refused, side: Side, texts: Texts) -> str:
    """The broker's text of a refusal; the detail alone where it has none for the kind."""
    where = "lower" if side is Side.SELL else "higher"
    return texts.get(refused.kind, "{detail}").format(detail=refused.message, side=side.lower(), where=where)


def by_fault(faults: Faults, side: Side, *, in_answer: bool) -> Refused | None:
    """What the switch `reject` makes of a new order, in the HTTP answer or in the order's row; counts it down."""
    aimed = faults.reject_in_answer is in_answer and faults.reject_side in (None, side)
    return Refused(faults.reject_kind, "refused by a fault switch") if aimed and use(faults, "reject") else None
