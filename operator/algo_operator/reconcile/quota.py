"""The tenant's quota, and whether Kubernetes counts it.

Kubernetes refuses what a quota bounds until its controller has counted that resource once ("status unknown for quota").
The controller learns of a new kind within 30 seconds, but counts a quota that it has seen before only when that changes
or at its full round each 5 minutes (`--resource-quota-sync-period`). So the quota of a tenant made just after the CRDs
were installed would refuse every strategy for minutes; made again, it is counted at once.
"""

from algo_operator.context import Context, ensure_from
from algo_operator.metrics import WRITES
from algo_operator.observed import unix_seconds
from algo_operator.problem import Problem
from algo_operator.vocabulary import RESOURCE_QUOTA, Manifest

UNCOUNTED = "QuotaNotCounted"
LOOK_AGAIN_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
"""A controller that knows the kinds counts a new quota within a second."""


async def ensure_quota(context: Context, desired: Manifest) -> Problem | None:
    """Applies the quota; makes it again where it has stayed uncounted. The problem while it is not counted."""
    metadata = desired["metadata"]
    observed = await context.cluster.get(RESOURCE_QUOTA, metadata["namespace"], metadata["name"])
    if observed is not None and not is_counted(desired, observed):
        age = context.clock() - unix_seconds(observed["metadata"]["creationTimestamp"])
        if age > _PATIENCE_SECONDS:
            uid = observed["metadata"]["uid"]
            await context.cluster.delete(RESOURCE_QUOTA, metadata["namespace"], metadata["name"], uid=uid)
            WRITES.labels(kind="ResourceQuota", verb="delete").inc()
            observed = None
    await ensure_from(context, desired, observed)
    if observed is not None and is_counted(desired, observed):
        return None
    message = "Kubernetes has not counted the quota yet; strategies can be made in a moment"
    return Problem(reason=UNCOUNTED, message=message)


def is_counted(desired: Manifest, observed: Manifest) -> bool:
    """Whether the controller has told a use of everything that the quota bounds."""
    used = observed.get("status", {}).get("used", {})
    return all(resource in used for resource in desired["spec"]["hard"])
