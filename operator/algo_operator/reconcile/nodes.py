"""Looks at the node of a pod: does it still answer?"""

from algo_operator.context import Context
from algo_operator.observed import PodState, node_is_lost
from algo_operator.ports import OperatorError
from algo_operator.vocabulary import LEASE, NODE, Manifest

_NODE_LEASES = "kube-node-lease"


async def look_at_node(context: Context, pod: PodState) -> tuple[Manifest | None, bool]:
    """The node of a pod that was placed, and whether it is lost.

    The node's own lease tells it soonest. Where that may not be read, the node's `Ready` condition has to do, which the
    node controller changes only after 50 s.
    """
    node = await context.cluster.get(NODE, "", pod.node)
    try:
        lease = await context.cluster.get(LEASE, _NODE_LEASES, pod.node)
    except OperatorError:
        lease = None
    return node, node_is_lost(node, lease, now=context.clock())
