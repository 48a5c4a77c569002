"""A login must reach the gateway in seconds, not at the kubelet's next round.

The kubelet renews a mounted Secret about once a minute, but at once when the pod itself changes. So the version of the
session Secret is an annotation of the gateway's pod: a new session changes the pod, and the file follows. The operator
may not watch the Secrets of the cluster; it asks for the ones of accounts that wait for a login.
"""

import asyncio
import logging
from typing import Final

from algo_operator.context import Context
from algo_operator.metrics import WRITES
from algo_operator.ports import OperatorError
from algo_operator.vocabulary import POD, SECRET, Manifest

logger = logging.getLogger(__name__)

ANNOTATION_SESSION: Final = "algo.trading/session-version"
_EVERY_SECONDS: Final = 2.0
_READS_PER_SECOND: Final = 50


def version_of(secret: Manifest | None) -> str:
    """The version of a session Secret; empty if there is none."""
    return str((secret or {}).get("metadata", {}).get("resourceVersion", ""))


def with_session(pod: Manifest, secret: Manifest | None) -> Manifest:
    """A pod to be created that knows the session it starts with."""
    metadata = pod["metadata"]
    annotations = {**metadata.get("annotations", {}), ANNOTATION_SESSION: version_of(secret)}
    return {**pod, "metadata": {**metadata, "annotations": annotations}}


async def hand_on(context: Context, pod: Manifest, secret: Manifest | None) -> bool:
    """Makes the kubelet renew the session file if the Secret has changed. True if it did."""
    metadata = pod["metadata"]
    if metadata.get("annotations", {}).get(ANNOTATION_SESSION) == version_of(secret):
        return False
    patch = {"metadata": {"annotations": {ANNOTATION_SESSION: version_of(secret)}, "uid": metadata["uid"]}}
    await context.cluster.patch(POD, metadata["namespace"], metadata["name"], patch)
    WRITES.labels(kind="Pod", verb="patch").inc()
    return True


async def session_loop(context: Context) -> None:
    """Looks until cancelled whether accounts that wait for a login got one; at most 50 reads a second."""
    while True:
        waiting = dict(context.memory.awaiting_login)
        await asyncio.sleep(max(_EVERY_SECONDS, len(waiting) / _READS_PER_SECOND))
        for key, (name, version) in waiting.items():
            try:
                found = version_of(await context.cluster.get(SECRET, key.namespace, name))
            except OperatorError as error:
                logger.info("the session of %s cannot be read: %s", key, error)
                continue
            if found != version:
                context.wake(key)
