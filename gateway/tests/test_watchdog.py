"""A mute symbol is asked for once a second and its runners are told once; the book is read while orders may change."""

from typing import Any

from algo_crds.contracts import wire
from algo_gateway.symbols import Market
from algo_gateway.watchdog import Watchdog

KEY = ("NSE", "RELIANCE")
OPEN = 1_618_199_100_000


class Quotes:
    """Takes down what is asked for."""

    def __init__(self, asked: list[tuple[str, str]]) -> None:
        self.ask = asked.append


class Hub:
    """What the watchdog asks for."""

    def __init__(self) -> None:
        self.polled: list[tuple[str, str]] = []
        self.quotes = Quotes(self.polled)
        self.told: list[wire.ToRunner] = []
        self.books = 0

    def listened(self) -> list[tuple[str, str]]:
        return [KEY]

    def tell_all(self, message: wire.ToRunner) -> None:
        self.told.append(message)

    def read_for_all(self) -> None:
        self.books += 1

    def read_facts(self, done: Any) -> None:
        raise AssertionError(done)


class Door:
    """Whether orders may change."""

    live = False

    def has_live_orders(self) -> bool:
        return self.live

    def start_day(self, day: Any) -> None:
        del day


class Symbols:
    """One market."""

    def __init__(self) -> None:
        self.by_key = {KEY: Market(key=KEY, token=1, open_at=OPEN, close_at=OPEN + 3_600_000, last_tick_at=OPEN)}
        self.opens_at = OPEN


def test_mute_and_back() -> None:
    hub, door, symbols = Hub(), Door(), Symbols()
    watchdog = Watchdog(hub, door, symbols)  # type: ignore[arg-type] # stand-ins
    for at in range(0, 10_000, 500):
        watchdog.at(OPEN + at)
    assert hub.polled == [], "ten seconds without a price are no silence"
    for at in range(10_000, 15_000, 250):
        watchdog.at(OPEN + at)
    assert len(hub.polled) == 5, "one call a second"
    assert hub.told == [wire.FeedHealth(now=OPEN + 10_000, connected=True, polling=True)], "told once"
    market = symbols.by_key[KEY]
    market.last_tick_at, market.polling = OPEN + 15_000, False
    for at in range(15_000, 25_000, 500):
        watchdog.at(OPEN + at)
    assert len(hub.polled) == 5
    watchdog.at(OPEN + 25_000)
    assert (len(hub.polled), len(hub.told)) == (6, 2), "a second silence is told again"


def test_the_book_while_orders_live() -> None:
    hub, door = Hub(), Door()
    watchdog = Watchdog(hub, door, Symbols())  # type: ignore[arg-type] # stand-ins
    watchdog.at(OPEN)
    assert (hub.books, watchdog.next_at) == (0, None)
    door.live = True
    for at in range(1_000, 12_000, 1_000):
        watchdog.at(OPEN + at)
    assert hub.books == 3, "at once, then every five seconds"
