"""Lasting trigger orders: which way they fire, what they send, one leg of two, and that they outlive the session."""

from datetime import date

import pytest
from algo_crds.contracts.orders import OrderStatus, OrderType, Product, RejectKind, Side
from algo_market.order_rules import Refused
from algo_market.readers import parse_recording
from algo_simulator.accounts import Account, AccountSpec, Holding
from algo_simulator.market import Market
from algo_simulator.testing import ticks
from algo_simulator.trigger_orders import TriggerLeg, TriggerOrder, TriggerStatus
from algo_simulator.world import World, WorldSpec

KEY = "NSE:RELIANCE"
START = 1_618_199_100_000


class Stand:
    """A world that is moved by hand: trades at 2000, then whatever the test says."""

    def __init__(self, *, held: int = 100) -> None:
        holdings = (Holding(symbol=KEY, quantity=held, average_price="1500"),) if held else ()
        spec = AccountSpec(broker="zerodha", client_id="A", api_key="k", api_secret="s", holdings=holdings)
        self.world = World(WorldSpec(name="w", date=date(2021, 4, 12), symbols=(KEY,)))
        raw = ticks([("09:15:00", "2000")])
        self.world.upload(KEY, parse_recording(raw, name=KEY, day=date(2021, 4, 12)))
        self.world.prepare()
        self.market: Market = self.world.markets[KEY]
        self.account: Account = self.world.add_account(spec)
        self.now = START
        self.trade(2000)

    def trade(self, rupees: float) -> None:
        """A trade of the record, a second later."""
        self.now += 1000
        price = int(rupees * 10_000)
        self.market.stats.last = price
        self.world.exchange.trade(self.market, price, self.now, self.now)

    def place(self, *legs: tuple[float, float, int], side: Side = Side.SELL) -> TriggerOrder | Refused:
        """A trigger order of (trigger, limit, quantity) legs."""
        made = [TriggerLeg(trigger=int(t * 10_000), price=int(p * 10_000), quantity=q, side=side) for t, p, q in legs]
        return self.world.triggers.place(
            self.account, self.market, product=Product.DELIVERY, legs=made, tag="t", now=self.now
        )


def _placed(order: TriggerOrder | Refused) -> TriggerOrder:
    assert isinstance(order, TriggerOrder), order
    return order


def test_a_single_fires_once_at_or_beyond_its_trigger_and_sends_a_limit_order() -> None:
    stand = Stand()
    order = _placed(stand.place((1990, 1980, 10)))
    stand.trade(1990.05)
    assert order.status is TriggerStatus.ACTIVE
    assert not stand.account.orders
    stand.trade(1989)
    stand.trade(1988)
    assert order.status is TriggerStatus.TRIGGERED
    leg = order.legs[0]
    assert leg.order is not None
    assert (leg.fired_price, leg.order.tag, leg.order.placed_at) == (19_890_000, "t", stand.now - 1000)
    assert (leg.order.sim.status, leg.order.sim.average_price) == (OrderStatus.FILLED, 19_890_000)
    assert list(stand.account.orders) == [leg.order.order_id]


def test_of_two_legs_the_first_that_is_reached_ends_the_other() -> None:
    stand = Stand()
    order = _placed(stand.place((1990, 1985, 10), (2020, 2015, 10)))
    stand.trade(2025)
    stand.trade(1980)
    assert order.legs[0].order is None
    assert order.legs[1].order is not None
    assert order.legs[1].order.sim.average_price == 20_250_000
    assert len(stand.account.orders) == 1


def test_a_limit_that_the_market_jumped_over_is_left_unfilled() -> None:
    stand = Stand()
    order = _placed(stand.place((1990, 1985, 10)))
    stand.trade(1970)
    assert order.status is TriggerStatus.TRIGGERED
    assert order.legs[0].order is not None
    assert order.legs[0].order.sim.status is OrderStatus.OPEN


def test_a_market_leg_gets_the_usual_protection() -> None:
    stand = Stand()
    order = _placed(stand.place((1990, 0, 10)))
    stand.trade(1990)
    assert order.legs[0].order is not None
    assert order.legs[0].order.sim.price == 19_800_500
    assert order.legs[0].order.sim.status is OrderStatus.FILLED


def test_a_refused_child_leaves_the_trigger_order_triggered() -> None:
    stand = Stand(held=0)
    order = _placed(stand.place((1990, 1980, 5000)))
    stand.trade(1989)
    assert order.status is TriggerStatus.TRIGGERED
    assert order.legs[0].order is not None
    assert order.legs[0].order.sim.reject_kind is RejectKind.QUANTITY


def test_it_rests_through_the_end_of_the_session() -> None:
    stand = Stand()
    order = _placed(stand.place((1990, 1980, 10)))
    stand.world.exchange.end_stops(stand.market, stand.now)
    stand.world.exchange.end_session(stand.market, stand.now)
    assert order.status is TriggerStatus.ACTIVE
    assert order.expires_at - order.created_at == 365 * 86_400_000


def test_a_change_decides_anew_which_way_it_fires() -> None:
    stand = Stand()
    order = _placed(stand.place((1990, 1980, 10)))
    leg = TriggerLeg(trigger=20_200_000, price=20_150_000, quantity=10, side=Side.SELL)
    assert stand.world.triggers.modify(order, [leg], stand.now) is None
    stand.trade(1980)
    assert order.status is TriggerStatus.ACTIVE
    stand.trade(2020)
    assert order.status is TriggerStatus.TRIGGERED
    for refused in (
        stand.world.triggers.modify(order, [leg], stand.now),
        stand.world.triggers.cancel(order, stand.now),
    ):
        assert refused is not None
        assert refused.kind is RejectKind.NOT_MODIFIABLE


def test_a_cancelled_one_never_fires() -> None:
    stand = Stand()
    order = _placed(stand.place((1990, 1980, 10)))
    assert stand.world.triggers.cancel(order, stand.now) is None
    stand.trade(1900)
    assert not stand.account.orders


@pytest.mark.parametrize(
    ("legs", "kind"),
    [
        ([(2000.0, 1990.0, 1)], RejectKind.THROUGH),
        ([(1990.0, 1980.0, 0)], RejectKind.QUANTITY),
        ([(1990.01, 1980.0, 1)], RejectKind.TICK_SIZE),
        ([(1990.0, 1980.01, 1)], RejectKind.TICK_SIZE),
        ([(0.0, 1980.0, 1)], RejectKind.PRICE),
        ([(1990.0, 1980.0, 1), (1995.0, 1990.0, 1)], RejectKind.THROUGH),
    ],
)
def test_what_no_broker_takes(legs: list[tuple[float, float, int]], kind: RejectKind) -> None:
    stand = Stand()
    refused = stand.place(*legs)
    assert isinstance(refused, Refused)
    assert refused.kind is kind
    assert not stand.account.triggers


def test_shares_of_the_demat_are_sold_without_money_and_become_money() -> None:
    stand = Stand(held=1000)
    before = stand.world.exchange.free_cash(stand.account)
    order = stand.world.exchange.new_order(
        stand.account,
        stand.market,
        side=Side.SELL,
        type=OrderType.LIMIT,
        quantity=1000,
        price=20_000_000,
        product=Product.DELIVERY,
        now=stand.now,
    )
    stand.world.exchange.submit(order, stand.now)
    assert order.sim.status is OrderStatus.FILLED
    assert stand.world.exchange.free_cash(stand.account) - before == 1000 * 20_000_000
