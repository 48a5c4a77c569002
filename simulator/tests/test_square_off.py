"""Each broker squares intraday positions off at its own time, also of an account that joined a running world."""

from datetime import date

from algo_crds.contracts.clock import instant, parse_time
from algo_crds.contracts.orders import OrderStatus, OrderType, Side
from algo_market.readers import parse_recording
from algo_simulator.accounts import AccountSpec
from algo_simulator.testing import ticks
from algo_simulator.world import World, WorldSpec

DAY = date(2021, 4, 12)
KEY = "NSE:RELIANCE"


def _spec(broker: str) -> AccountSpec:
    return AccountSpec(broker=broker, client_id=broker, api_key=broker, api_secret="s")


def _at(text: str) -> int:
    return instant(DAY, parse_time(text))


def test_a_position_and_its_stop_end_at_the_brokers_own_time() -> None:
    world = World(WorldSpec(name="w", date=DAY, symbols=(KEY,)))
    world.upload(KEY, parse_recording(ticks([("09:15:00", "2000")]), name=KEY, day=DAY))
    world.add_account(_spec("zerodha"))
    world.begin()
    world.add_account(_spec("angelone"))
    market = world.markets[KEY]
    world.now = _at("09:20:00")
    world.exchange.trade(market, 20_000_000, world.now, world.now)
    for account in world.accounts.values():
        for side, kind, price, trigger in (
            (Side.BUY, OrderType.LIMIT, 20_100_000, 0),
            (Side.SELL, OrderType.STOP_LIMIT, 19_000_000, 19_100_000),
        ):
            order = world.exchange.new_order(
                account, market, side=side, type=kind, quantity=10, price=price, trigger=trigger, now=world.now
            )
            world.exchange.submit(order, world.now)
    seen = {}
    for clock in ("15:14:59", "15:15:00", "15:19:59", "15:20:00"):
        world.now = _at(clock)
        world.run_timers()
        seen[clock] = {
            name: [order.sim.status for order in account.orders.values()] for name, account in world.accounts.items()
        }
    open_ = [OrderStatus.FILLED, OrderStatus.TRIGGER_PENDING]
    closed = [OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.FILLED]
    assert seen == {
        "15:14:59": {"zerodha": open_, "angelone": open_},
        "15:15:00": {"zerodha": open_, "angelone": closed},
        "15:19:59": {"zerodha": open_, "angelone": closed},
        "15:20:00": {"zerodha": closed, "angelone": closed},
    }
