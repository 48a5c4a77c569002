"""Redis users of runners and gateways: which commands, keys and channels they get, and how one is compared.

A runner may touch `strategy:{its id}:*` and publish on its own channel. Commands that key patterns do not bind (SCAN,
KEYS, RANDOMKEY, DBSIZE, FLUSHALL, CONFIG ...) are not given: with them a tenant could read the names of others' keys.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from algo_crds.contracts import keys

from algo_operator.ports import RedisUser

COMMANDS: Final = (
    "-@all +@string +@hash +@list +@set +@sortedset +@stream +@transaction +@connection -@dangerous "
    "+publish +subscribe +unsubscribe +del +unlink +exists +type +expire +pexpire +persist +ttl +pttl "
    "+eval +evalsha +script|load +script|exists"
)


def runner_user(strategy_id: str, password: str) -> RedisUser:
    """The user of one strategy's runner."""
    return RedisUser(
        name=f"run-{strategy_id}",
        password=password,
        keys=(keys.strategy_prefix(strategy_id) + "*",),
        channels=(keys.notify(strategy_id),),
    )


def gateway_user(account_id: str, source_id: str, password: str) -> RedisUser:
    """The user of one account's gateway: its own state, and the copies of ticks for API and UI."""
    return RedisUser(
        name=f"gw-{account_id}",
        password=password,
        keys=(
            keys.account_state(account_id),
            keys.account_events(account_id),
            keys.last_prices(source_id),
            keys.clock(source_id),
        ),
        channels=(keys.account_notify(account_id), keys.tick(source_id, "*", "*"), keys.ticks(source_id)),
    )


def rules(user: RedisUser) -> list[str]:
    """Arguments of `ACL SETUSER` after the name. The password goes as a hash, so that no log of commands has it."""
    patterns = [f"~{key}" for key in user.keys] + [f"&{channel}" for channel in user.channels]
    return ["reset", "on", f"#{password_hash(user.password)}", *patterns, *COMMANDS.split()]


def password_hash(password: str) -> str:
    """As Redis stores it."""
    return hashlib.sha256(password.encode()).hexdigest()


def words(observed: Mapping[str, Any], *names: str) -> frozenset[str]:
    """Fields of `ACL GETUSER` as one set: servers and clients give them as text or as a list."""
    found: set[str] = set()
    for name in names:
        value = observed.get(name, ())
        found.update(value.split() if isinstance(value, str) else map(str, value))
    return frozenset(found)


def commands_of(observed: Mapping[str, Any]) -> frozenset[str]:
    """What a user may do, in the server's own words."""
    return words(observed, "commands", "categories")


def is_same(user: RedisUser, observed: Mapping[str, Any] | None, commands: frozenset[str]) -> bool:
    """Whether `ACL GETUSER` shows the wanted user.

    Args:
        user: what is wanted.
        observed: the answer; None if there is no such user.
        commands: what the server makes of `COMMANDS`.
    """
    if observed is None:
        return False
    return (
        "on" in words(observed, "flags")
        and words(observed, "passwords") == {password_hash(user.password)}
        and words(observed, "keys") == {f"~{key}" for key in user.keys}
        and words(observed, "channels") == {f"&{channel}" for channel in user.channels}
        and commands_of(observed) == commands
    )
