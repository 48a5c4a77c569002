"""Which reconcile serves which kind, with its time and result measured."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from algo_operator.context import Context
from algo_operator.metrics import RECONCILE_SECONDS, RECONCILES
from algo_operator.reconcile.broker_account import reconcile_broker_account
from algo_operator.reconcile.market_data_source import reconcile_market_data_source
from algo_operator.reconcile.strategy import reconcile_strategy
from algo_operator.reconcile.tenant import reconcile_tenant
from algo_operator.vocabulary import BROKER_ACCOUNT, MARKET_DATA_SOURCE, STRATEGY, TENANT, Key, Kind
from algo_operator.workqueue import Done, Reconcile

_BY_KIND: Final[Mapping[Kind, Callable[[Context, Key], Awaitable[Done]]]] = {
    TENANT: reconcile_tenant,
    BROKER_ACCOUNT: reconcile_broker_account,
    MARKET_DATA_SOURCE: reconcile_market_data_source,
    STRATEGY: reconcile_strategy,
}


def create_reconcile(context: Context) -> Reconcile:
    """The function that the work queue runs."""

    async def reconcile(key: Key) -> Done:
        started = time.monotonic()
        result = "error"
        try:
            done = await _BY_KIND[key.kind](context, key)
            result = "ok"
            return done
        finally:
            RECONCILES.labels(kind=key.kind.kind, result=result).inc()
            RECONCILE_SECONDS.labels(kind=key.kind.kind).observe(time.monotonic() - started)

    return reconcile
