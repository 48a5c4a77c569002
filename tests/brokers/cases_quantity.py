"""Orders that have filled in parts, and what the quantity of their change means.

Three of the brokers do not say whether it is the total or what remains. An order of theirs is therefore never changed
once it may be filling: it is cancelled, its final row read, the rest placed anew. Both meanings give the same end.
"""

from algo_brokers.outcomes import Accepted
from algo_brokers.records import Change
from algo_crds.contracts.orders import OrderStatus, OrderType
from case import case
from desk import Desk, R


async def bought_in_two_goes(desk: Desk) -> None:
    """Four of ten are bought; the rest at a better price, by a change where its quantity is known to be the total."""
    await desk.to("09:16:00")
    order, ref = await desk.placed(price=2005 * R)
    await desk.row(ref, lambda row: row.filled == 4)
    if desk.broker.capability.modify_quantity_is_total:
        change = Change(order=ref, type=OrderType.LIMIT, quantity=10, price=2006 * R)
        assert isinstance(await desk.broker.modify(change=change), Accepted)
        await desk.row(ref, lambda row: row.price == 2006 * R)
    else:
        assert isinstance(await desk.broker.cancel(order=ref), Accepted)
        last = await desk.row(ref, lambda row: row.status is OrderStatus.CANCELLED)
        await desk.placed(price=2006 * R, quantity=order.quantity - last.filled)
    await desk.to("09:36:00")


@case("BC-039", "what a fill in parts has left is priced anew: all is bought and nothing twice", world={"liquidity": 4})
async def rest_priced_anew(desk: Desk) -> None:
    await bought_in_two_goes(desk)
    (position,) = await desk.broker.read_positions()
    assert position.quantity == 10


@case(
    "BC-046",
    "the same where the quantity of a change names what remains",
    world={"liquidity": 4, "account": {"quirks": ["change_names_remainder"]}},
    exempt={"dhan": "documents that it is the total"},
)
async def rest_priced_anew_by_remainder(desk: Desk) -> None:
    await bought_in_two_goes(desk)
    (position,) = await desk.broker.read_positions()
    assert position.quantity == 10
    _, ref = await desk.placed(price=2010 * R)
    filled = (await desk.row(ref, lambda row: row.filled > 0)).filled
    change = Change(order=ref, type=OrderType.LIMIT, quantity=5, price=1850 * R)
    assert isinstance(await desk.broker.modify(change=change), Accepted)
    assert (await desk.row(ref, lambda row: row.price == 1850 * R)).quantity == filled + 5, "it does name what remains"
