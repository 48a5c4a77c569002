"""A person's word that an unknown sell is not at the broker: from the resource's annotation to the runner, and back.

The annotation is a word, not a wish that lasts: it is passed on until the runner's view says that it was read, then it
is taken off the resource, whatever it led to. Left there it could be obeyed a second time at another doubt about the
same order, by a runner that has lost its memory; so such a runner does not obey what it finds either (`State.initial`),
and a person says it again. What it led to is told by an event of the resource, and by the runner's journal and alerts.
A word that names no sell of the strategy never reaches the runner.
"""

from algo_crds.contracts.orders import Leg, OrderStatus
from algo_crds.contracts.runtime import FORCED_MESSAGE, StrategyView
from algo_crds.contracts.tags import parse_tag, strategy_hash

from algo_operator.context import Context
from algo_operator.metrics import WRITES
from algo_operator.reconcile.strategy_view import Observed
from algo_operator.vocabulary import ANNOTATION_FORCE_SELL, STRATEGY, Manifest

_SAY_AGAIN = f"set {ANNOTATION_FORCE_SELL} again, if the broker's own order page shows that the order is not there"


async def take_word(context: Context, seen: Observed, strategy: Manifest) -> tuple[Manifest, str]:
    """What the runner is to be told (empty: nothing), and the Strategy without a word that is dealt with.

    Raises:
        ConflictError: the Strategy has changed since it was read; nothing was done.
    """
    said = strategy["metadata"].get("annotations", {}).get(ANNOTATION_FORCE_SELL)
    if said is None:
        return strategy, ""
    tag = said.strip().lower()
    problem = problem_of(tag, seen.head.strategy_id)
    if problem:
        strategy = await _take_back(context, strategy)
        await context.tell(strategy, reason="NothingForced", message=problem, warning=True)
        return strategy, ""
    view = seen.view
    if view is None or view.forced_tag != tag or view.epoch < seen.minted:
        return strategy, tag
    strategy = await _take_back(context, strategy)
    reason, message = outcome(view, tag)
    await context.tell(strategy, reason=reason, message=message, warning=True)
    return strategy, ""


def problem_of(tag: str, strategy_id: str) -> str:
    """Why a text cannot name a sell of this strategy, and what to do; empty if it can."""
    parsed = parse_tag(tag)
    hint = "set the annotation to the tag of the order with status Unknown in .status.orders"
    if parsed is None:
        return f"{ANNOTATION_FORCE_SELL} is no tag of an order ({tag[:40]!r}): {hint}"
    if parsed.strategy_hash != strategy_hash(strategy_id):
        return f"order {tag} is not one of this strategy: {hint}"
    if parsed.leg is Leg.ENTRY:
        return f"order {tag} is an entry, which is never sent again: {hint} whose leg is Stop or Exit"
    return ""


def outcome(view: StrategyView, tag: str) -> tuple[str, str]:
    """Reason and message of the event once the runner has read the word: what became of the order."""
    order = next((order for order in view.orders if order.tag == tag), None)
    if order is None:
        return "NothingForced", f"order {tag} is not among the last orders of this strategy: nothing is forced"
    if order.status is OrderStatus.UNKNOWN:
        why = "the runner began without its memory, or the order came in doubt again"
        return "NothingForced", f"order {tag} is of unknown outcome still ({why}): {_SAY_AGAIN}"
    if order.message == FORCED_MESSAGE:
        return "SecondSellForced", f"on a person's word order {tag} counts as absent and stops to block other sells"
    return "NothingForced", f"order {tag} is {order.status}, not of unknown outcome: nothing is forced"


async def _take_back(context: Context, strategy: Manifest) -> Manifest:
    metadata = strategy["metadata"]
    patch = {
        "metadata": {
            "annotations": {ANNOTATION_FORCE_SELL: None},
            "resourceVersion": metadata["resourceVersion"],
        }
    }
    WRITES.labels(kind="Strategy", verb="patch").inc()
    return await context.cluster.patch(STRATEGY, metadata["namespace"], metadata["name"], patch)
