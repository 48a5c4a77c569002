"""The order's way through the gateway is walked once, without an order, while the runners look at a price.

A gateway writes few orders, and between two of them other processes take the caches of its CPU: what costs 20 us in a
loop costs 240 us when an order comes. A runner that has just been told a price answers some 300 us later at the
earliest, in a process of its own, while this one has nothing to do. So that time fetches the code and the data that an
order would need. Measured: benchmarks/order_path.py.

Nothing of it can reach a broker or a runner: the door is one of its own that knows one made-up strategy, and the order
line builds the bytes and drops them (`OrderLine.rehearse`).
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from typing import Final

from algo_brokers.limits import Window, Windows
from algo_brokers.port import Broker
from algo_brokers.records import InstrumentRef
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderClass, OrderType, Product
from algo_crds.contracts.tags import make_tag, strategy_hash
from algo_crds.contracts.tokens import AUDIENCE_RUNNER, ISSUER, RunnerClaims

from algo_gateway.calls import perform
from algo_gateway.door.door import Door, Gate
from algo_gateway.door.effects import Send
from algo_gateway.eager import Tasks
from algo_gateway.order_check import order_refusal

log: Final = logging.getLogger("algo_gateway.rehearsal")
LEAST_S: Final = 0.01
"""Between two of them: prices may come far more often, and a cache holds for a while."""
_STRATEGY: Final = "rehearsal"
_CONNECTION: Final = 1
_ROOM: Final = Windows(writes=tuple(Window(length_ms=length, limit=1_000) for length in (1, 2, 3)), reads={})
"""A limit that never binds; as many windows as brokers publish."""
_INSTRUMENT: Final = wire.Instrument(
    exchange="NSE",
    symbol="REHEARSAL",
    tick_size=500,
    lot=1,
    freeze_quantity=0,
    band_low=0,
    band_high=0,
    previous_close=0,
)
_EXIT: Final = wire.encode(
    wire.Modify(
        req=1,
        broker_order_id="1",
        tag=make_tag(strategy_hash(_STRATEGY), date(2020, 1, 1), Leg.STOP, 1),
        order_class=OrderClass.EXIT,
        type=OrderType.LIMIT,
        quantity=1,
        price=20_000_500,
        send_before=1 << 60,
    )
)


class Rehearsal:
    """Walks the way of an exit; `soon` at most every `LEAST_S`.

    Args:
        broker: an adapter whose writes are dropped (`OrderLine.rehearse`).
        now: session time in ms.
        traded: an instrument that a connected runner trades, as the broker names it; None while there is none.
    """

    def __init__(self, broker: Broker, *, now: Callable[[], int], traded: Callable[[], InstrumentRef | None]) -> None:
        self._broker = broker
        self._now = now
        self._traded = traded
        self._tasks = Tasks(log)
        self._not_before = 0.0
        self._failed = False
        self._door = Door(_ROOM)
        self._door.gate = Gate(session=True, halts_known=True)
        claims = RunnerClaims(
            iss=ISSUER,
            aud=AUDIENCE_RUNNER,
            sub=_STRATEGY,
            account=_STRATEGY,
            epoch=1,
            exchange=_INSTRUMENT.exchange,
            symbol=_INSTRUMENT.symbol,
            product=Product.INTRADAY.value,
        )
        self._door.connect(_CONNECTION, claims, now())

    def soon(self) -> None:
        """Once what has arrived is handled: no price and no order waits behind it."""
        loop = asyncio.get_running_loop()
        moment = loop.time()
        if moment >= self._not_before:
            self._not_before = moment + LEAST_S
            loop.call_soon(self.walk)

    def walk(self) -> None:
        """From a runner's bytes to the broker's, which go nowhere."""
        instrument = self._traded()
        if instrument is None or self._failed:
            return
        write = wire.decode_to_gateway(_EXIT)
        assert isinstance(write, wire.Modify)
        now = self._now()
        order_refusal(write, _INSTRUMENT, now)
        for effect in self._door.write(_CONNECTION, write, now):
            if isinstance(effect, Send):
                self._tasks.start_now(self._perform(effect, instrument))

    async def _perform(self, send: Send, instrument: InstrumentRef) -> None:
        self._door.traded_by(send.call)
        outcome = await perform(
            self._broker,
            send.write,
            instrument=instrument,
            product=Product.INTRADAY,
            algo_id="",
            now=self._now,
            crash=lambda _point: None,
        )
        wire.encode(outcome)
        self._door.outcome(send.call, outcome)
        self._failed = isinstance(outcome, wire.Unknown)  # an adapter that cannot do it is asked, and logged, once
