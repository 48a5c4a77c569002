"""The worlds of this process, and which world and account an api key, token or client id belongs to."""

from collections.abc import Callable

from algo_crds.contracts.money import NotAPriceError, parse_price
from algo_market.instruments import UnknownInstrumentError
from algo_market.readers import Recording
from algo_market.sessions import SessionUnknownError, day_start

from algo_simulator.accounts import Account, AccountSpec
from algo_simulator.clock import Clock
from algo_simulator.world import World, WorldError, WorldSpec

MAX_SYMBOLS = 50
MAX_SPEED = 1e6


class ConflictError(WorldError):
    """Another world has the name, api key or client id."""


class NotFoundError(LookupError):
    """No such world or account."""


class Worlds:
    """A small registry; every look-up is by what a client sends, never by path."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._clocks: dict[str, Clock] = {}
        self.on_account: list[Callable[[Clock, Account], None]] = []
        """Front ends that want to know of new accounts."""
        self.on_delete: list[Callable[[Clock], None]] = []
        """Front ends that hold something of a world."""

    def create(self, spec: WorldSpec) -> Clock:
        """Make a world that stands still.

        Raises:
            WorldError: the date, a symbol or a price is not possible, or the process has enough worlds.
            ConflictError: a name, api key or client id is taken.
        """
        if spec.name in self._clocks:
            raise ConflictError(f"world {spec.name} exists; delete it first")
        if len(self._clocks) >= self._limit:
            raise WorldError(f"this process holds at most {self._limit} worlds; delete one first")
        if not spec.name or not 0 < len(spec.symbols) <= MAX_SYMBOLS:
            raise WorldError(f"a world needs a name and 1 to {MAX_SYMBOLS} symbols")
        if not 0 <= spec.speed < MAX_SPEED:
            raise WorldError("speed must be 0 (as fast as possible) or a number of session seconds a second")
        try:
            world = World(spec)
            world.previous_closes = {key: int(parse_price(text)) for key, text in spec.previous_closes.items()}
        except (UnknownInstrumentError, SessionUnknownError, NotAPriceError) as error:
            raise WorldError(str(error)) from error
        except ValueError as error:
            raise error if isinstance(error, WorldError) else WorldError(str(error)) from error
        for account in spec.accounts:
            self._check_free(account)
        clock = Clock(world)
        for account in spec.accounts:
            self._add(clock, account)
        self._clocks[spec.name] = clock
        return clock

    def add_account(self, name: str, spec: AccountSpec) -> Account:
        """Add an account to a world.

        Raises:
            NotFoundError, ConflictError, WorldError.
        """
        clock = self.get(name)
        self._check_free(spec)
        return self._add(clock, spec)

    def _add(self, clock: Clock, spec: AccountSpec) -> Account:
        account = clock.world.add_account(spec)
        for told in self.on_account:
            told(clock, account)
        return account

    def _check_free(self, spec: AccountSpec) -> None:
        for clock in self._clocks.values():
            for account in clock.world.accounts.values():
                taken = account.spec
                if taken.broker == spec.broker and (taken.api_key == spec.api_key or taken.client_id == spec.client_id):
                    raise ConflictError(
                        f"client id {spec.client_id} or its api key is in use by world {clock.world.name}"
                    )

    def get(self, name: str) -> Clock:
        """A world by its name.

        Raises:
            NotFoundError: there is none.
        """
        clock = self._clocks.get(name)
        if clock is None:
            raise NotFoundError(f"no world {name!r}")
        return clock

    def all(self) -> list[Clock]:
        """Every world."""
        return list(self._clocks.values())

    def upload(self, name: str, key: str, recording: Recording, previous_close: int) -> None:
        """Give a world the record of a symbol, before it is started.

        Raises:
            NotFoundError: no such world, or it has no such symbol.
            WorldError: the world was started, or the record is of another day.
        """
        world = self.get(name).world
        if key not in world.symbols():
            raise NotFoundError(f"world {name} has no symbol {key}; it has {', '.join(world.symbols())}")
        if world.begun:
            raise WorldError(f"world {name} was started; its ticks cannot change any more")
        start = day_start(world.spec.date)
        if not any(start <= at < start + 86_400_000 for at in recording.times):
            raise WorldError(f"the record has no row of {world.spec.date}, the day of world {name}")
        if previous_close:
            world.previous_closes[key] = previous_close
        world.upload(key, recording)

    async def delete(self, name: str) -> None:
        """End and forget a world.

        Raises:
            NotFoundError: there is none.
        """
        clock = self.get(name)
        del self._clocks[name]
        await clock.close()
        for told in self.on_delete:
            told(clock)

    def find(self, broker: str, *, api_key: str = "", client_id: str = "") -> tuple[Clock, Account] | None:
        """The world and account of an api key or client id."""
        for clock in self._clocks.values():
            for account in clock.world.accounts.values():
                spec = account.spec
                if spec.broker == broker and (spec.api_key == api_key if api_key else spec.client_id == client_id):
                    return clock, account
        return None
