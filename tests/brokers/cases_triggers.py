"""Trigger orders that outlive the day: GTT, forever orders."""

from algo_brokers.outcomes import Accepted, Rejected
from algo_brokers.port import Triggers
from algo_brokers.records import NewTrigger, TriggerLeg, TriggerRow, TriggerStatus
from algo_crds.contracts.orders import OrderRow, Product, Side
from case import case
from desk import Desk, R

HOLDS = {"account": {"holdings": [{"symbol": "NSE:RELIANCE", "quantity": 10, "average_price": "1900.00"}]}}
STOP = TriggerLeg(trigger=1988 * R, price=1980 * R, quantity=10)
TARGET = TriggerLeg(trigger=2200 * R, price=2199 * R, quantity=10)


async def made(desk: Desk, *legs: TriggerLeg) -> tuple[Triggers, NewTrigger, str]:
    """A trigger at the broker; its id."""
    triggers = desk.broker.triggers
    assert triggers is not None
    await desk.to("09:16:00")
    wanted = NewTrigger(
        instrument=await desk.ref(), side=Side.SELL, product=Product.DELIVERY, legs=legs, last_price=2001 * R
    )
    outcome = await triggers.place(trigger=wanted)
    assert isinstance(outcome, Accepted), outcome
    return triggers, wanted, outcome.broker_order_id


async def listed(triggers: Triggers, trigger_id: str) -> TriggerRow:
    """The trigger in the broker's list."""
    return next(row for row in await triggers.read() if row.trigger_id == trigger_id)


@case("BC-060", "a lasting trigger is made and listed", world=HOLDS)
async def single(desk: Desk) -> None:
    triggers, wanted, trigger_id = await made(desk, STOP)
    row = await listed(triggers, trigger_id)
    assert (row.exchange, row.symbol, row.side, row.product) == ("NSE", "RELIANCE", Side.SELL, Product.DELIVERY)
    assert (row.legs, row.status) == (wanted.legs, TriggerStatus.ACTIVE)


@case("BC-061", "one with two legs", world=HOLDS)
async def two_legs(desk: Desk) -> None:
    triggers, wanted, trigger_id = await made(desk, STOP, TARGET)
    row = await listed(triggers, trigger_id)
    assert (sorted(leg.trigger for leg in row.legs), row.status) == (
        sorted(leg.trigger for leg in wanted.legs),
        TriggerStatus.ACTIVE,
    )


@case("BC-062", "it is changed", world=HOLDS)
async def changed(desk: Desk) -> None:
    triggers, wanted, trigger_id = await made(desk, STOP)
    moved = NewTrigger(
        instrument=wanted.instrument,
        side=wanted.side,
        product=wanted.product,
        legs=(TriggerLeg(trigger=1978 * R, price=1970 * R, quantity=10),),
        last_price=2001 * R,
    )
    assert isinstance(await triggers.modify(trigger_id=trigger_id, trigger=moved), Accepted)
    assert (await listed(triggers, trigger_id)).legs == moved.legs


@case("BC-063", "it is taken back", world=HOLDS)
async def taken_back(desk: Desk) -> None:
    triggers, wanted, trigger_id = await made(desk, STOP)
    assert isinstance(await triggers.cancel(trigger_id=trigger_id, instrument=wanted.instrument), Accepted)
    left = [row for row in await triggers.read() if row.trigger_id == trigger_id]
    assert all(row.status is TriggerStatus.CANCELLED for row in left)


@case("BC-064", "the price fires it: its order is in the book", world=HOLDS)
async def fired(desk: Desk) -> None:
    triggers, _, trigger_id = await made(desk, STOP)
    await desk.to("09:31:00")
    rows: list[OrderRow] = []

    async def sold() -> bool:
        rows[:] = [row for row in await desk.broker.read_book(begun_at=desk.now()) if row.side is Side.SELL]
        return bool(rows) and rows[0].filled == 10

    await desk.until_true(sold, lambda: f"the trigger's order fills; last seen {rows}")
    left = [row for row in await triggers.read() if row.trigger_id == trigger_id]
    assert all(row.status is not TriggerStatus.ACTIVE for row in left)


@case("BC-065", "one that nobody made cannot be taken back")
async def unknown(desk: Desk) -> None:
    triggers = desk.broker.triggers
    assert triggers is not None
    await desk.to("09:16:00")
    outcome = await triggers.cancel(trigger_id="999999", instrument=await desk.ref())
    assert isinstance(outcome, Rejected), outcome
