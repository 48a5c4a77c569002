"""The paper account: orders against ticks, as a broker would tell them."""

from datetime import date, time

import pytest
from algo_brokers.errors import RequestRefused
from algo_brokers.outcomes import Accepted, Rejected
from algo_brokers.paper import PaperExchange, create_paper_broker
from algo_brokers.records import Change, InstrumentRef, NewOrder
from algo_crds.contracts.clock import instant
from algo_crds.contracts.orders import OrderRow, OrderStatus, OrderType, Product, RejectKind, Side
from hypothesis import given
from hypothesis import strategies as st
from order_samples import RELIANCE, order_ref

DAY = date(2021, 4, 12)
OPEN = instant(DAY, time(9, 15))
R = 10_000


class Account:
    """An exchange and what it told."""

    def __init__(self, previous_close: int = 2000 * R) -> None:
        self.rows: list[OrderRow] = []
        self.exchange = PaperExchange(on_row=self.rows.append, previous_close=lambda _e, _s: previous_close)

    def tick(self, price: int, at: int, volume: int = 0) -> None:
        self.exchange.tick("NSE", "RELIANCE", price=price, time=at, volume=volume, now=at)

    def statuses(self) -> list[OrderStatus]:
        return [row.status for row in self.rows]


NOBODY = InstrumentRef(exchange="NSE", symbol="NOSUCH")
TCS = InstrumentRef(exchange="NSE", symbol="TCS")


def order(**changes: object) -> NewOrder:
    values: dict[str, object] = {
        "tag": "a12345678abce001",
        "instrument": RELIANCE,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "quantity": 10,
        "price": 2000 * R,
        "product": Product.INTRADAY,
    }
    return NewOrder(**{**values, **changes})  # type: ignore[arg-type]


def stop(**changes: object) -> NewOrder:
    return order(
        **{
            "tag": "a12345678abcs002",
            "side": Side.SELL,
            "type": OrderType.STOP_LIMIT,
            "price": 1970 * R,
            "trigger": 1980 * R,
            **changes,
        }
    )


def placed(account: Account, new: NewOrder, at: int) -> str:
    outcome = account.exchange.place(new, at)
    assert isinstance(outcome, Accepted)
    return outcome.broker_order_id


def test_entry_stop_and_loss() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 1000)
    placed(account, order(), OPEN + 2000)
    assert account.statuses() == [OrderStatus.OPEN, OrderStatus.FILLED] or account.statuses()[-1] is OrderStatus.FILLED
    assert account.rows[-1].average_price == 1995 * R
    placed(account, stop(), OPEN + 2000)
    assert account.statuses()[-1] is OrderStatus.TRIGGER_PENDING
    assert account.exchange.positions()[0].quantity == 10
    account.tick(1979 * R, OPEN + 3000)
    assert account.rows[-1].status is OrderStatus.FILLED
    assert account.exchange.positions()[0].quantity == 0
    assert [(one.side, one.price) for one in account.exchange.trades()] == [
        (Side.BUY, 1995 * R),
        (Side.SELL, 1979 * R),
    ]


def test_a_stop_becomes_the_exit() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 1000)
    name = placed(account, stop(), OPEN + 1000)
    change = Change(order=order_ref(name), type=OrderType.LIMIT, quantity=10, price=1990 * R)
    assert account.exchange.modify(change, OPEN + 2000) == Accepted(broker_order_id=name)
    assert account.rows[-1].status is OrderStatus.FILLED
    again = account.exchange.modify(change, OPEN + 2000)
    assert isinstance(again, Rejected)
    assert again.kind is RejectKind.NOT_MODIFIABLE


def test_cancel() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 1000)
    name = placed(account, stop(), OPEN + 1000)
    assert isinstance(account.exchange.cancel(name, OPEN + 2000), Accepted)
    assert account.statuses()[-1] is OrderStatus.CANCELLED
    for outcome in (account.exchange.cancel(name, OPEN + 2000), account.exchange.cancel("nobody", OPEN)):
        assert isinstance(outcome, Rejected)
        assert outcome.kind is RejectKind.NOT_MODIFIABLE
    change = Change(order=order_ref("nobody"), type=OrderType.LIMIT, quantity=1, price=1)
    assert isinstance(account.exchange.modify(change, OPEN), Rejected)


def test_changes_are_limited() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 1000)
    name = placed(account, stop(), OPEN + 1000)
    for turn in range(26):
        trigger = (1980 - turn % 2) * R
        change = Change(order=order_ref(name), type=OrderType.STOP_LIMIT, quantity=10, price=1970 * R, trigger=trigger)
        outcome = account.exchange.modify(change, OPEN + 2000)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.TOO_MANY_CHANGES


def test_what_the_exchange_refuses_is_a_row() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 1000)
    placed(account, order(price=2500 * R), OPEN + 1000)
    assert account.rows[-1].status is OrderStatus.REJECTED
    assert account.rows[-1].reject_kind is RejectKind.BAND
    assert account.rows[-1].exchange_order_id is None


@pytest.mark.parametrize("at", [instant(date(2021, 4, 11), time(10)), instant(date(2031, 4, 11), time(10))])
def test_no_market_no_order(at: int) -> None:
    account = Account()
    outcome = account.exchange.place(order(), at)
    assert isinstance(outcome, Rejected)
    assert outcome.kind is RejectKind.CLOSED
    account.tick(2000 * R, at)
    assert account.exchange.last_price("NSE", "RELIANCE") == 0


def test_unknown_instrument() -> None:
    assert isinstance(Account().exchange.place(order(instrument=NOBODY), OPEN), Rejected)


def test_only_good_ticks_trade() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 5000, volume=7)
    placed(account, stop(), OPEN + 5000)
    for price, at in ((1900 * R, OPEN + 4000), (1900 * R, 0), (1500 * R, OPEN + 6000), (0, OPEN + 6000)):
        account.exchange.tick("NSE", "RELIANCE", price=price, time=at, volume=7, now=OPEN + 6000)
    assert account.statuses()[-1] is OrderStatus.TRIGGER_PENDING
    assert account.exchange.last_price("NSE", "RELIANCE") == 1995 * R


def test_the_session_ends() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 1000)
    placed(account, stop(), OPEN + 1000)
    account.exchange.clock(OPEN + 2000)
    assert account.statuses()[-1] is OrderStatus.TRIGGER_PENDING
    account.exchange.clock(instant(DAY, time(15, 30)))
    assert account.statuses()[-1] is OrderStatus.CANCELLED
    account.exchange.clock(instant(DAY, time(15, 31)))
    assert len(account.rows) == 2
    account.exchange.clock(instant(date(2021, 4, 13), time(9)))
    assert account.exchange.rows(0) == ()


def test_stops_end_before_the_last_match_of_an_auction_share() -> None:
    day = date(2026, 8, 10)
    account = Account()
    at = instant(day, time(10))
    account.exchange.tick("NSE", "RELIANCE", price=1995 * R, time=at, volume=0, now=at)
    placed(account, stop(), at)
    account.exchange.clock(instant(day, time(15, 15)))
    assert account.statuses()[-1] is OrderStatus.CANCELLED


def test_a_restart_finds_everything_again() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 1000)
    placed(account, order(), OPEN + 2000)
    name = placed(account, stop(), OPEN + 2000)
    again = Account()
    again.exchange.restore(account.exchange.snapshot(), OPEN + 3000)
    assert again.exchange.rows(5) == account.exchange.rows(5)
    assert again.exchange.trades() == account.exchange.trades()
    assert again.exchange.last_price("NSE", "RELIANCE") == 1995 * R
    again.tick(1979 * R, OPEN + 4000)
    assert again.exchange.positions()[0].quantity == 0
    assert placed(again, order(), OPEN + 5000) > name
    other_day = Account()
    other_day.exchange.restore(account.exchange.snapshot(), instant(date(2021, 4, 13), time(10)))
    other_day.exchange.restore(b"", OPEN)
    assert other_day.exchange.rows(0) == ()
    assert Account().exchange.snapshot() == b""


@given(st.lists(st.tuples(st.sampled_from(["buy", "stop", "cancel", "tick"]), st.integers(1950, 2050)), max_size=30))
def test_a_restart_at_any_moment_changes_nothing(steps: list[tuple[str, int]]) -> None:
    one, other = Account(), Account()
    at = int(OPEN)
    for what, number in steps:
        at += 1000
        for account in (one, other):
            if what == "buy":
                account.exchange.place(order(price=number * R), at)
            elif what == "stop":
                account.exchange.place(stop(trigger=number * R, price=(number - 5) * R), at)
            elif what == "cancel":
                account.exchange.cancel(f"210412{number - 1949:09d}", at)
            else:
                account.tick(number * R, at)
        fresh = Account()
        fresh.exchange.restore(other.exchange.snapshot(), at)
        other = fresh
    assert other.exchange.rows(0) == one.exchange.rows(0)
    assert other.exchange.positions() == one.exchange.positions()


async def test_the_broker_record() -> None:
    account = Account()
    account.tick(1995 * R, OPEN + 1000)
    broker = create_paper_broker(account.exchange, now=lambda: OPEN + 2000)
    accepted = await broker.place(order=order())
    assert isinstance(accepted, Accepted)
    stopped = await broker.place(order=stop())
    assert isinstance(stopped, Accepted)
    name = stopped.broker_order_id
    change = Change(order=order_ref(name), type=OrderType.STOP_LIMIT, quantity=10, price=1970 * R, trigger=1985 * R)
    assert await broker.modify(change=change) == stopped
    assert await broker.cancel(order=order_ref(name)) == stopped
    assert len(await broker.read_book(begun_at=3)) == 2
    assert len(await broker.read_order(broker_order_id=name, begun_at=3)) == 1
    assert len(await broker.read_trades()) == 1
    assert (await broker.read_positions())[0].quantity == 10
    assert await broker.read_holdings() == ()
    assert (await broker.read_funds()).available > 0
    (quote,) = await broker.read_quotes(instruments=(RELIANCE, TCS))
    assert (quote.price, quote.band_low, quote.previous_close) == (1995 * R, 1800 * R, 2000 * R)
    assert await broker.read_ltp(instruments=(RELIANCE, TCS)) == {("NSE", "RELIANCE"): 1995 * R}
    assert await broker.read_candles(instrument=RELIANCE, start=0, end=1) == ()
    assert "RELIANCE" in {one.symbol for one in await broker.read_instruments(exchange="NSE")}
    login = broker.login
    assert (login.begin, login.finish, login.direct, login.end) == (None, None, None, None)
    with pytest.raises(RequestRefused):
        await broker.open_feed(listener=None)  # type: ignore[arg-type]
