"""The order queue of a caller's strategies: read from Redis, commanded through the runner's stream, audited."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from algo_crds.contracts.ids import id_of_parts
from algo_crds.contracts.orders import Leg, OrderStatus
from algo_crds.contracts.runtime import Phase, QueueEvent
from redis.asyncio import Redis

from algo_api.audit.service import record_change
from algo_api.db import Database, user_scope
from algo_api.errors import ConflictError, NotFoundError
from algo_api.identity import Caller
from algo_api.order_queue.contract import OrderQueueService
from algo_api.order_queue.schemas import OrderQueueOut, QueueEntryOut
from algo_api.order_queue.store import give_command, read_entries
from algo_api.strategies.contract import StrategyService
from algo_api.strategies.queries import own_strategy
from algo_api.strategies.rows import change_of
from algo_api.strategies.schemas import OrderOut, StrategyOut

_NO_STRATEGY: Final = "there is no such strategy"


def create_order_queue_service(db: Database, redis: Redis, strategies: StrategyService) -> OrderQueueService:
    """The order queue over database and Redis."""

    async def entries(caller: Caller, strategy_id: str) -> list[QueueEvent]:
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            if await own_strategy(session, caller, strategy_id) is None:
                raise NotFoundError(_NO_STRATEGY)
        return await read_entries(redis, strategy_id)

    async def waiting(caller: Caller, strategy_id: str, tag: str) -> QueueEvent:
        return _named(await entries(caller, strategy_id), tag)

    async def give(
        caller: Caller, strategy_id: str, verb: str, command: str, told: Mapping[str, str], changes: Mapping[str, Any]
    ) -> None:
        """Command and audit entry as one: without Redis neither is there."""
        async with db.transaction(user_scope(caller.user_id, caller.tenant_id)) as session:
            row = await own_strategy(session, caller, strategy_id)
            if row is None:
                raise NotFoundError(_NO_STRATEGY)
            record_change(session, change_of(row.id, row, caller.user_id, verb, changes))
            await session.flush()
            await give_command(redis, strategy_id, command=command, actor=caller.user_id, **told)

    async def list_entries(caller: Caller, strategy_id: str) -> OrderQueueOut:
        return OrderQueueOut(items=[_out(strategy_id, entry) for entry in await entries(caller, strategy_id)])

    async def retry(caller: Caller, strategy_id: str, tag: str) -> QueueEntryOut:
        entry = await waiting(caller, strategy_id, tag)
        await give(caller, strategy_id, "retry", "retry", {"tag": tag}, {"tag": tag, "cause": entry.cause})
        return _out(strategy_id, entry)

    async def discard(caller: Caller, strategy_id: str, tag: str) -> QueueEntryOut:
        entry = await waiting(caller, strategy_id, tag)
        await give(caller, strategy_id, "discard", "discard", {"tag": tag}, {"tag": tag, "cause": entry.cause})
        return _out(strategy_id, entry)

    async def clear(caller: Caller, strategy_id: str, *, note: str) -> StrategyOut:
        shown = await strategies.get(caller, strategy_id)
        if shown.phase is not Phase.FAILED:
            raise ConflictError("no run of this strategy has failed: there is nothing to clear")
        held = shown.position.quantity if shown.position else 0
        changes = {"note": note, "reason": shown.reason, "held": held}
        await give(caller, strategy_id, "clear", "discard", {"note": note}, changes)
        return shown

    async def force(caller: Caller, strategy_id: str, tag: str) -> StrategyOut:
        shown = await strategies.get(caller, strategy_id)
        order = _unknown_sell(shown, tag)
        changes = {"tag": tag, "leg": order.leg, "quantity": order.quantity}
        await give(caller, strategy_id, "force_second_sell", "force", {"tag": tag}, changes)
        return shown

    return OrderQueueService(list=list_entries, retry=retry, discard=discard, clear=clear, force=force)


def _out(strategy_id: str, entry: QueueEvent) -> QueueEntryOut:
    fields = msgspec.structs.asdict(entry)
    return QueueEntryOut.model_validate({"id": id_of_parts("queue", strategy_id, entry.tag), **fields})


def _named(entries: list[QueueEvent], tag: str) -> QueueEvent:
    found = next((entry for entry in entries if entry.tag == tag), None)
    if found is None:
        raise NotFoundError("there is no such entry in the order queue; it may be settled by now")
    return found


def _unknown_sell(shown: StrategyOut, tag: str) -> OrderOut:
    order = next((order for order in shown.orders if order.tag == tag), None)
    if order is None:
        raise NotFoundError("there is no such order among the last ones of this strategy")
    if order.leg is Leg.ENTRY or order.status is not OrderStatus.UNKNOWN:
        raise ConflictError("only a stop or exit of unknown outcome can be called absent; nothing was changed")
    return order
