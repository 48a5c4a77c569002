"""The trader's own controls: exit of everything, kill switch, exit at a profit or loss, registered addresses, eDIS."""

import ipaddress
from datetime import datetime, timedelta
from typing import Final

from algo_crds.contracts.clock import IST
from algo_crds.contracts.orders import FINAL, OrderType, Side

from algo_simulator.dhan import bodies
from algo_simulator.dhan.bodies import Body
from algo_simulator.dhan.errors import input_error, order_error
from algo_simulator.dhan.state import DhanState, PnlExit
from algo_simulator.front import Caller
from algo_simulator.funds import funds_of
from algo_simulator.orders import positions_of
from algo_simulator.protection import protected_limit

SWITCHES: Final = ("ACTIVATE", "DEACTIVATE")
ADDRESS_DAYS: Final = 7
PNL_PRODUCTS: Final = ("INTRADAY", "DELIVERY")


def exit_all(caller: Caller) -> dict[str, object]:
    """`DELETE /positions`: every live order is cancelled, every position closed by a protected order."""
    caller.clock.world.defer(lambda: leave(caller))
    return {"status": "SUCCESS", "message": "All orders and positions exited successfully"}


def leave(caller: Caller) -> None:
    """Cancel what is live, then sell or buy back what is open."""
    world, account = caller.clock.world, caller.account
    for order in list(account.orders.values()):
        if order.sim.status not in FINAL:
            world.exchange.cancel(order, world.now)
    for position in positions_of(account.trades):
        if position.net == 0:
            continue
        market = world.markets[position.key]
        side = Side.SELL if position.net > 0 else Side.BUY
        order = world.exchange.new_order(
            account,
            market,
            side=side,
            type=OrderType.LIMIT,
            quantity=abs(position.net),
            price=protected_limit(market, side),
            product=position.product,
            now=world.now,
        )
        world.exchange.submit(order, world.now)


def set_kill_switch(caller: Caller, state: DhanState, wanted: str) -> dict[str, object]:
    """`POST /killswitch?killSwitchStatus=`: no trading for the rest of the day.

    Raises:
        DhanError: no such word, or there are open positions or live orders.
    """
    if wanted not in SWITCHES:
        raise input_error("Invalid killSwitchStatus")
    on = wanted == "ACTIVATE"
    if on and _busy(caller):
        raise order_error("Kill switch cannot be activated with open positions or pending orders")
    state.kill_switch = on
    done = "activated" if on else "deactivated"
    return {
        "dhanClientId": caller.account.spec.client_id,
        "killSwitchStatus": f"Kill Switch has been successfully {done}",
    }


def kill_switch(caller: Caller, state: DhanState) -> dict[str, object]:
    """`GET /killswitch`."""
    word = SWITCHES[0] if state.kill_switch else SWITCHES[1]
    return {"dhanClientId": caller.account.spec.client_id, "killSwitchStatus": word}


def _busy(caller: Caller) -> bool:
    account = caller.account
    live = any(order.sim.status not in FINAL for order in account.orders.values())
    return live or any(position.net for position in positions_of(account.trades))


def set_pnl_exit(caller: Caller, state: DhanState, body: Body) -> dict[str, object]:
    """`POST /pnlExit`: a level that is passed already fires at once; later levels are watched with every trade.

    Raises:
        DhanError: a field is missing or cannot be used.
    """
    bodies.check_client(body, caller.account.spec.client_id)
    products = body.get("productType")
    if not isinstance(products, list) or not products or any(word not in PNL_PRODUCTS for word in products):
        raise input_error("Invalid productType")
    state.pnl_exit = PnlExit(
        profit=bodies.number(body, "profitValue"),
        loss=bodies.number(body, "lossValue"),
        products=[str(word) for word in products],
        kill_switch=bodies.flag(body, "enableKillSwitch"),
    )
    if not state.pnl_watched:
        state.pnl_watched = True
        caller.clock.world.exchange.after_trade.append(lambda *_: watch_pnl(caller, state))
    watch_pnl(caller, state)
    return {"pnlExitStatus": "ACTIVE", "message": "P&L based exit configured successfully"}


def watch_pnl(caller: Caller, state: DhanState) -> None:
    """Leave everything once the day's profit or loss has passed a level."""
    wanted = state.pnl_exit
    if wanted is None:
        return
    found = funds_of(caller.clock.world.markets, caller.account)
    gained = (found.realised + found.unrealised) / 10_000
    if not (0 < wanted.profit <= gained or 0 < wanted.loss <= -gained):
        return
    state.pnl_exit = None
    leave(caller)
    state.kill_switch = state.kill_switch or wanted.kill_switch


def pnl_exit(state: DhanState) -> dict[str, object]:
    """`GET /pnlExit`."""
    found = state.pnl_exit
    if found is None:
        return {"pnlExitStatus": "DISABLED"}
    return {
        "pnlExitStatus": "ACTIVE",
        "profit": f"{found.profit:.2f}",
        "loss": f"{found.loss:.2f}",
        "productType": found.products,
        "enable_kill_switch": found.kill_switch,
    }


def stop_pnl_exit(state: DhanState) -> dict[str, object]:
    """`DELETE /pnlExit`."""
    state.pnl_exit = None
    return {"pnlExitStatus": "DISABLED", "message": "P&L based exit stopped successfully"}


def set_address(caller: Caller, state: DhanState, body: Body, *, change: bool) -> dict[str, object]:
    """`POST /ip/setIP` and `PUT /ip/modifyIP`. It is kept and shown; which addresses may trade is the account's spec.

    Raises:
        DhanError: no address, or a change within seven days of the last.
    """
    bodies.check_client(body, caller.account.spec.client_id)
    try:
        address = str(ipaddress.ip_address(bodies.text(body, "ip")))
    except ValueError:
        raise input_error("Invalid ip") from None
    primary = bodies.word(body, "ipFlag", ("PRIMARY", "SECONDARY")) == "PRIMARY"
    kept = state.addresses
    today = datetime.fromtimestamp(caller.now / 1000, IST).date()
    changed = kept.primary_changed if primary else kept.secondary_changed
    if changed and not (change and datetime.fromisoformat(changed).date() + timedelta(days=ADDRESS_DAYS) <= today):
        raise input_error(f"IP can be modified only once in {ADDRESS_DAYS} days")
    if primary:
        kept.primary, kept.primary_changed = address, today.isoformat()
    else:
        kept.secondary, kept.secondary_changed = address, today.isoformat()
    return {"message": "IP saved successfully", "status": "SUCCESS"}


def addresses(caller: Caller, state: DhanState, detected: str) -> dict[str, object]:
    """`GET /ip/getIP`. Before any is set, the account's own registered addresses are shown."""
    kept, registered = state.addresses, caller.account.spec.registered_addresses
    allowed = not registered or detected in registered
    return {
        "primaryIP": kept.primary or next(iter(registered), ""),
        "secondaryIP": kept.secondary or next(iter(registered[1:]), ""),
        "modifyDatePrimary": kept.primary_changed,
        "modifyDateSecondary": kept.secondary_changed,
        "detectedIP": detected,
        "ipMatchStatus": "MATCH" if allowed else "MISMATCH",
        "ordersAllowed": allowed,
    }


def edis_inquiry(caller: Caller, isin: str) -> dict[str, object]:
    """`GET /edis/inquire/{isin|ALL}`: with DDPI active nothing needs the approval of a sale."""
    return {
        "clientId": caller.account.spec.client_id,
        "isin": isin,
        "totalQty": 0,
        "aprvdQty": 0,
        "status": "SUCCESS",
        "remarks": "eDIS is not needed: DDPI is active",
    }
