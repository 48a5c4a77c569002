"""A market connection at every broker: refused, full, mute, and gone. Who opens it again is in `tests/brokers`."""

import importlib
from types import ModuleType

import pytest
from algo_brokers.errors import BrokerError, BrokerUnavailable, SessionRefused, TooManyRequests
from algo_brokers.registry import ADAPTERS
from broker_stand import Ear, Stand
from every_broker import BROKERS, answering, pointed_at, ready, stand_of

LIMIT = {
    "angelone": ("angelone.stream", "TOKENS_PER_SESSION"),
    "dhan": ("dhan.feed", "INSTRUMENTS_PER_CONNECTION"),
    "fyers": ("fyers.limits", "TOKENS_PER_CONNECTION"),
    "zerodha": ("zerodha.feed", "TOKENS_PER_CONNECTION"),
}
"""Where each broker's limit of instruments is looked up."""
TOKENS = {
    "angelone": [1 << 32 | number for number in range(1, 6)],
    "dhan": [1 << 32 | number for number in range(1, 6)],
    "fyers": [10100000000000 + number for number in range(1, 6)],
    "zerodha": [number << 8 | 1 for number in range(1, 6)],
}


def module(name: str) -> ModuleType:
    return importlib.import_module(f"algo_brokers.{name}")


def market_messages(broker: str, stand: Stand) -> list[str]:
    """What was said on the sockets after they were open: subscriptions alone."""
    opening = {"angelone": 2, "dhan": 3, "fyers": 6, "zerodha": 1}[broker]
    return stand.seen[opening:]


@pytest.mark.parametrize(
    ("head", "raised"),
    [
        (b"HTTP/1.1 401 Unauthorized", SessionRefused),
        (b"HTTP/1.1 403 Forbidden", SessionRefused),
        (b"HTTP/1.1 429 Too Many Requests", TooManyRequests),
        (b"HTTP/1.1 500 Oops", BrokerUnavailable),
        (b"HTTP/1.1 302 Found", BrokerUnavailable),
        (b"HTTP/1.1 200 OK", BrokerUnavailable),
    ],
)
@pytest.mark.parametrize("broker", BROKERS)
async def test_a_refused_handshake_says_why(broker: str, head: bytes, raised: type[BrokerError]) -> None:
    """429 is what a broker says to one connection more than it allows."""
    async with stand_of(broker) as stand, answering(head) as port:
        with pytest.raises(BrokerError) as caught:
            await pointed_at(broker, stand, port).open_feed(listener=Ear())
    assert type(caught.value) is raised


@pytest.mark.parametrize("broker", BROKERS)
async def test_no_more_instruments_than_a_connection_carries(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = ADAPTERS[broker].facts.feed
    place, name = LIMIT[broker]
    assert getattr(module(place), name) == facts.instruments, "the record says what the code does"
    monkeypatch.setattr(module(place), name, 3)
    async with stand_of(broker) as stand:
        ear = Ear()
        feed = await ready(broker, stand, ear)
        first, *rest = TOKENS[broker]
        feed.subscribe([first])
        feed.subscribe([first, *rest])
        told = [one for one in await ear.until(3 if broker == "fyers" else 1) if "trouble" in str(one)]
        assert told == ["trouble: 2 instruments are without prices: one connection takes 3 of this broker's own"]
        feed.unsubscribe([first])
        feed.subscribe(rest[2:3])
        await feed.close()
        assert len([one for one in ear.heard if "trouble" in str(one)]) == 1, "there was room again"


@pytest.mark.parametrize("broker", BROKERS)
async def test_nothing_is_asked_for_twice_and_nothing_taken_back_that_was_not_asked_for(broker: str) -> None:
    async with stand_of(broker) as stand:
        feed = await ready(broker, stand, Ear())
        first, second, *_ = TOKENS[broker]
        feed.unsubscribe([second])
        feed.subscribe([first])
        feed.subscribe([first])
        feed.unsubscribe([second])
        feed.unsubscribe([first])
        await stand.until(len(stand.seen) - len(market_messages(broker, stand)) + (3 if broker == "zerodha" else 2))
        await feed.close()
        said = market_messages(broker, stand)
    assert len(said) == (3 if broker == "zerodha" else 2), said  # Zerodha's mode is a message of its own


@pytest.mark.parametrize("broker", BROKERS)
async def test_a_mute_link_is_given_up_with_the_reason(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module(f"{broker}.feed"), "SILENCE_S", 0.05)
    async with stand_of(broker) as stand:
        ear = Ear()
        await ready(broker, stand, ear)
        heard = await ear.until(3 if broker == "fyers" else 1)
    assert heard[-1] == "closed: nothing heard for 0.05 s"


@pytest.mark.parametrize("broker", BROKERS)
async def test_the_end_of_any_socket_is_told_once_and_ends_all(broker: str) -> None:
    async with stand_of(broker) as stand:
        for place in range(2 if ADAPTERS[broker].endpoints.order_socket else 1):
            before, ear = len(stand.sockets), Ear()
            await ready(broker, stand, ear)
            mine = stand.sockets[before:]
            await mine[place].close(code=1001)
            while not ear.heard or not str(ear.heard[-1]).startswith("closed"):
                await ear.until(len(ear.heard) + 1)
            for socket in mine:
                await socket.close()
            assert [one for one in ear.heard if str(one).startswith("closed")] == [
                "closed: closed by the broker with code 1001"
            ]
