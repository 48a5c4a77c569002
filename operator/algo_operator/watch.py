"""The operator's own watches of the children it made, selected by label on the server.

What is seen here only wakes the owner's reconcile, which reads the child itself; a lost event costs time until the
next resync, never correctness.
"""

import asyncio
import logging
from collections.abc import Callable

from algo_operator.health import Health
from algo_operator.ports import Cluster
from algo_operator.specs import tenant_of_namespace
from algo_operator.vocabulary import (
    BROKER_ACCOUNT,
    GATEWAY,
    LABEL_ACCOUNT,
    LABEL_COMPONENT,
    LABEL_STRATEGY,
    MANAGED_SELECTOR,
    NAMESPACE,
    POD,
    RUNNER,
    STRATEGY,
    TENANT,
    Key,
    Kind,
    Manifest,
)

logger = logging.getLogger(__name__)

WATCHED = (POD, NAMESPACE)
"""No Secrets: a watch of all namespaces would need the right to read every one of the cluster. The resync mends."""
_PAUSE_SECONDS = 1.0


def owner_key(child: Manifest) -> Key | None:
    """Whose reconcile a change of this child concerns; None: nobody's."""
    metadata = child["metadata"]
    labels = metadata.get("labels", {})
    namespace, component = metadata.get("namespace", ""), labels.get(LABEL_COMPONENT)
    if child.get("kind") == NAMESPACE.kind:
        tenant = tenant_of_namespace(child)
        return Key(TENANT, "", tenant) if tenant else None
    if component == RUNNER and LABEL_STRATEGY in labels:
        return Key(STRATEGY, namespace, labels[LABEL_STRATEGY])
    if component == GATEWAY and LABEL_ACCOUNT in labels:
        return Key(BROKER_ACCOUNT, namespace, labels[LABEL_ACCOUNT])
    return None


async def watch_children(cluster: Cluster, kind: Kind, *, wake: Callable[[Key], None], health: Health) -> None:
    """Watches until cancelled; a broken stream is opened again."""
    name = kind.plural
    health.expect(name)
    while True:
        try:
            async for change, child in cluster.watch(kind, MANAGED_SELECTOR):
                health.sign(name)
                if change != "BOOKMARK" and (key := owner_key({**child, "kind": kind.kind})) is not None:
                    wake(key)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.warning("the watch of %s broke and is opened again: %s", name, error)
        await asyncio.sleep(_PAUSE_SECONDS)
