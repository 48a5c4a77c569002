"""What the control API shows: a world's state, and the book of all its accounts. Money is a decimal string."""

from algo_crds.contracts.clock import format_instant
from algo_crds.contracts.money import format_price

from algo_simulator.accounts import Account
from algo_simulator.clock import Clock
from algo_simulator.orders import AccountOrder, positions_of
from algo_simulator.trigger_orders import TriggerOrder


def world_view(clock: Clock) -> dict[str, object]:
    """State, time and progress of a world."""
    world = clock.world
    return {
        "name": world.name,
        "date": world.spec.date.isoformat(),
        "symbols": world.symbols(),
        "state": world.state,
        "now": world.now,
        "time": format_instant(world.now),
        "seq": clock.seq,
        "speed": world.speed,
        "speed_reached": clock.speed_reached(),
        "barrier_timeouts": clock.barrier_timeouts,
        "participants": [
            {
                "name": participant.name,
                "connected": participant.connected,
                "behind": participant.behind,
                "seq": participant.seq,
                "in_flight": participant.in_flight,
            }
            for participant in clock.participants.values()
        ],
        "accounts": [
            {"broker": a.spec.broker, "client_id": a.spec.client_id, "api_key": a.spec.api_key}
            for a in world.accounts.values()
        ],
        "recorded": sorted(world.recordings),
    }


def book_view(clock: Clock) -> dict[str, object]:
    """Every order, trade and position of every account."""
    return {
        "now": clock.world.now,
        "accounts": {client_id: _account(account) for client_id, account in clock.world.accounts.items()},
    }


def _account(account: Account) -> dict[str, object]:
    return {
        "orders": [_order(order) for order in account.orders.values()],
        "trades": [
            {
                "trade_id": trade.trade_id,
                "order_id": trade.order.order_id,
                "tag": trade.order.tag,
                "symbol": trade.order.symbol,
                "side": trade.order.sim.side,
                "quantity": trade.quantity,
                "price": format_price(trade.price),
                "time": trade.time,
            }
            for trade in account.trades
        ],
        "positions": [
            {"exchange": p.exchange, "symbol": p.symbol, "product": p.product, "quantity": p.net}
            for p in positions_of(account.trades)
        ],
        "triggers": [_trigger(order) for order in account.triggers.values()],
    }


def _trigger(order: TriggerOrder) -> dict[str, object]:
    return {
        "number": order.number,
        "symbol": order.symbol,
        "product": order.product,
        "status": order.status,
        "legs": [
            {
                "side": leg.side,
                "trigger": format_price(leg.trigger),
                "price": format_price(leg.price),
                "quantity": leg.quantity,
                "order_id": leg.order.order_id if leg.order is not None else None,
            }
            for leg in order.legs
        ],
    }


def _order(order: AccountOrder) -> dict[str, object]:
    sim = order.sim
    return {
        "order_id": order.order_id,
        "tag": order.tag,
        "placed_by": order.placed_by,
        "exchange": order.exchange,
        "symbol": order.symbol,
        "product": order.product,
        "side": sim.side,
        "type": sim.type,
        "quantity": sim.quantity,
        "price": format_price(sim.price),
        "trigger": format_price(sim.trigger),
        "filled": sim.filled,
        "average_price": format_price(sim.average_price),
        "status": sim.status,
        "message": sim.message,
        "modifications": order.modifications,
        "time": order.placed_at,
        "history": [
            {"stage": s.stage, "time": s.time, "price": format_price(s.price), "filled": s.filled}
            for s in order.history
        ],
    }
