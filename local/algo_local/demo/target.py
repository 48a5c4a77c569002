"""Which cluster a demo runs against: the named local instance, or whatever KUBECONFIG names."""

import os
import shutil
from pathlib import Path

from algo_local.cluster import find
from algo_local.demo.endpoints import Kubectl, UnreachableError


def kubectl_of(instance: str) -> Kubectl:
    """The cluster's kubectl.

    Raises:
        UnreachableError: no such instance runs and no other cluster is named.
    """
    cluster = find(instance)
    if cluster is not None:
        return Kubectl(binary=cluster.kubectl_path, kubeconfig=cluster.kubeconfig)
    named, binary = os.environ.get("KUBECONFIG"), shutil.which("kubectl")
    if named and binary:
        return Kubectl(binary=Path(binary), kubeconfig=Path(named))
    raise UnreachableError("no cluster runs; start it with: make up (or name one in KUBECONFIG)")
