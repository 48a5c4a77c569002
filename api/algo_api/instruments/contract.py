"""What the instrument service offers."""

from dataclasses import dataclass
from typing import Protocol

from algo_api.identity import Caller
from algo_api.instruments.schemas import InstrumentOut, InstrumentPage, InstrumentState


class SearchInstruments(Protocol):
    """Instruments by symbol, ISIN or words of the name; best first."""

    async def __call__(
        self, caller: Caller, query: str, *, exchange: str | None, kind: str | None, limit: int
    ) -> InstrumentPage: ...


class GetInstrument(Protocol):
    """One instrument.

    Raises:
        NotFoundError: no list has it; the message names what is spelt like it.
    """

    async def __call__(self, caller: Caller, exchange: str, symbol: str) -> InstrumentOut: ...


class ReadInstrumentState(Protocol):
    """What was loaded when, and what was wrong."""

    async def __call__(self, caller: Caller) -> InstrumentState: ...


class CheckTradable(Protocol):
    """Whether a new strategy may be on a symbol. Says nothing while the table is not loaded or old: a list that cannot
    be had must not keep anybody from trading, and the runner asks its broker again before every entry.

    Raises:
        TradingRuleError: the lists do not have it (with what is spelt like it), or it cannot be traded.
    """

    async def __call__(self, caller: Caller, exchange: str, symbol: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentService:
    """Instruments."""

    search: SearchInstruments
    get: GetInstrument
    state: ReadInstrumentState
    check_tradable: CheckTradable
