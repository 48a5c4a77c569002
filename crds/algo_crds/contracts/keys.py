"""Every Redis key and channel of the platform. No other module spells one."""


def strategy_prefix(strategy_id: str) -> str:
    """What a runner's Redis user may touch."""
    return f"strategy:{strategy_id}:"


def spec(strategy_id: str) -> str:
    """String, JSON `RuntimeSpec`; written by the operator."""
    return f"strategy:{strategy_id}:spec"


def notify(strategy_id: str) -> str:
    """Pub/sub channel: something of the strategy changed, read it again."""
    return f"strategy:{strategy_id}:notify"


NOTIFY_PATTERN = "strategy:*:notify"


def commands(strategy_id: str) -> str:
    """Stream of retry and discard commands; written by the API."""
    return f"strategy:{strategy_id}:commands"


def state(strategy_id: str) -> str:
    """Hash: the execution state under the names of the requirements, `view` (JSON) and `engine` (snapshot)."""
    return f"strategy:{strategy_id}:state"


def journal(strategy_id: str) -> str:
    """Stream, intents first; the runner's write-ahead log."""
    return f"strategy:{strategy_id}:journal"


def orders(strategy_id: str) -> str:
    """Hash of the order queue: what was refused or not sent and waits for a decision, by tag."""
    return f"strategy:{strategy_id}:orders"


def events(strategy_id: str) -> str:
    """Bounded stream of `StrategyEvent`; SSE, status writer and recorder read it."""
    return f"strategy:{strategy_id}:events"


def lease(strategy_id: str) -> str:
    """String: the epoch that may write; the fence of Redis writes, not of orders."""
    return f"strategy:{strategy_id}:lease"


def account_state(account_id: str) -> str:
    """Hash: session_valid_until, feed, breaker, egress, egress_state, alert, ...; written by the gateway."""
    return f"account:{account_id}:state"


def account_events(account_id: str) -> str:
    """Bounded stream of the account's events; written by the gateway."""
    return f"account:{account_id}:events"


def account_notify(account_id: str) -> str:
    """Pub/sub channel: something of the account changed."""
    return f"account:{account_id}:notify"


ACCOUNT_NOTIFY_PATTERN = "account:*:notify"


def tick(source: str, exchange: str, symbol: str) -> str:
    """Pub/sub channel of ticks, for the API and UI only: nothing that trades reads it."""
    return f"tick:{source}:{exchange}:{symbol}"


def ticks(source: str) -> str:
    """Pub/sub channel of every tick of a source in batches (`copies.TickBatch`), for charts, recorders and pages."""
    return f"ticks:{source}"


def last_prices(source: str) -> str:
    """Hash of last prices by `EXCHANGE:SYMBOL`, for the API and UI only."""
    return f"ltp:{source}"


def clock(source: str) -> str:
    """String: the source's session time in ms, for the API and UI only."""
    return f"clock:{source}"


def instruments(exchange: str) -> str:
    """Hash of the exchange's instruments by symbol (JSON); written by the API, a copy of its table."""
    return f"instruments:{exchange}"


def rate_limit(name: str, subject: str) -> str:
    """Counter of one kind of request by one subject (a hash) in the present window; written by the API."""
    return f"api:rate:{name}:{subject}"
