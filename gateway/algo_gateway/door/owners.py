"""Who may speak for a strategy: the connection of the highest epoch seen, and no other.

Epochs never fall back, so the door needs no list and no Redis: what it has seen is enough, and a door that has just
started accepts the first epoch it sees, because the operator has deleted the earlier pod before it minted a new one.
"""

import msgspec
from algo_crds.contracts import wire
from algo_crds.contracts.tags import strategy_hash
from algo_crds.contracts.tokens import RunnerClaims


class Owner(msgspec.Struct, kw_only=True):
    """One strategy of the account as the door knows it."""

    strategy: str
    hash8: str
    epoch: int
    connection: int | None
    claims: RunnerClaims
    last_send: int = 0
    last_tag: str = ""


def note_send(owner: Owner, write: wire.Place | wire.Modify | wire.Cancel, now: int) -> None:
    """A write of this strategy leaves for the broker; its next connection is told."""
    owner.last_send = now
    if isinstance(write, wire.Place):
        owner.last_tag = write.tag


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What a new connection leads to: `refused` is empty when it owns the strategy now."""

    refused: str = ""
    newest: int = 0
    replaced: int | None = None
    replaced_epoch: int = 0


class Owners:
    """The strategies of one account; mutable, owned by the door."""

    def __init__(self) -> None:
        self._by_strategy: dict[str, Owner] = {}
        self._by_hash: dict[str, str] = {}
        self._by_connection: dict[int, str] = {}

    def admit(self, connection: int, claims: RunnerClaims) -> Admission:
        """A runner connected with a valid token of this account."""
        hash8 = strategy_hash(claims.sub)
        holder = self._by_hash.setdefault(hash8, claims.sub)
        if holder != claims.sub:
            return Admission(refused=f"its tags would equal those of {holder}; give the strategy another name")
        owner = self._by_strategy.get(claims.sub)
        if owner is None:
            owner = Owner(strategy=claims.sub, hash8=hash8, epoch=claims.epoch, connection=None, claims=claims)
            self._by_strategy[claims.sub] = owner
        if claims.epoch < owner.epoch:
            return Admission(refused=f"epoch {claims.epoch} is over", newest=owner.epoch)
        replaced, replaced_epoch = owner.connection, owner.epoch
        if replaced is not None:
            self._by_connection.pop(replaced, None)
        owner.epoch, owner.connection, owner.claims = claims.epoch, connection, claims
        self._by_connection[connection] = claims.sub
        return Admission(replaced=replaced, replaced_epoch=replaced_epoch, newest=claims.epoch)

    def leave(self, connection: int) -> Owner | None:
        """A connection is gone; the owner it spoke for, if it was the newest."""
        strategy = self._by_connection.pop(connection, None)
        if strategy is None:
            return None
        owner = self._by_strategy[strategy]
        owner.connection = None
        return owner

    def of_connection(self, connection: int) -> Owner | None:
        """The owner that this connection speaks for."""
        strategy = self._by_connection.get(connection)
        return None if strategy is None else self._by_strategy[strategy]

    def of_hash(self, hash8: str) -> Owner | None:
        """The owner whose tags carry this hash."""
        strategy = self._by_hash.get(hash8)
        return None if strategy is None else self._by_strategy.get(strategy)

    def all(self) -> tuple[Owner, ...]:
        """Every strategy seen since the door opened."""
        return tuple(self._by_strategy.values())
