"""The lease: what a stop cut off must not keep the next operator out."""

from collections.abc import Callable
from typing import Any

from algo_operator.election import Election
from algo_operator.ports import Cluster, ConflictError
from algo_operator.vocabulary import Kind, Manifest


class Store:
    """One lease with a version, as the API server keeps it; `before_patch` is what arrives just before a write."""

    def __init__(self) -> None:
        self.version = 0
        self.spec: Manifest | None = None
        self.before_patch: Callable[[], None] = lambda: None

    def renewed(self) -> None:
        self.version += 1

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        if self.spec is None:
            return None
        return {"metadata": {"resourceVersion": str(self.version)}, "spec": dict(self.spec)}

    async def create(self, manifest: Manifest) -> Manifest:
        if self.spec is not None:
            raise ConflictError("it exists")
        self.spec = dict(manifest["spec"])
        return manifest

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Manifest) -> Manifest:
        self.before_patch()
        if patch["metadata"]["resourceVersion"] != str(self.version):
            raise ConflictError("changed since")
        self.version += 1
        self.spec = dict(patch["spec"])
        return patch

    def holder(self) -> str:
        assert self.spec is not None
        return str(self.spec["holderIdentity"])


def election(store: Store, identity: str) -> Election:
    unused: Any = None
    cluster = Cluster(
        get=store.get, list=unused, watch=unused, create=store.create, apply=unused, apply_status=unused,
        patch=store.patch, delete=unused,
    )  # fmt: skip
    return Election(cluster=cluster, namespace="ns", identity=identity, monotonic=lambda: 1000.0)


async def test_a_lease_that_was_given_up_is_free_at_once() -> None:
    store = Store()
    first, second = election(store, "first"), election(store, "second")
    await first.acquire()
    await first.give_up()
    await second.acquire()
    assert store.holder() == "second"
    await first.give_up()
    assert store.holder() == "second", "what another holds is not ours to give up"


async def test_a_renewal_that_arrives_late_does_not_keep_the_lease() -> None:
    store = Store()
    first = election(store, "first")
    await first.acquire()
    late = [store.renewed]

    def arrives() -> None:
        if late:
            late.pop()()

    store.before_patch = arrives
    await first.give_up()
    assert not late
    assert store.holder() == ""


async def test_a_lease_that_changes_for_ever_does_not_fail_the_stop() -> None:
    store = Store()
    first = election(store, "first")
    await first.acquire()
    store.before_patch = store.renewed
    await first.give_up()
    assert store.holder() == "first"
