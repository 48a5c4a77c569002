"""Routes of instruments: data of the platform, the same for everybody who is signed in."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from algo_api.deps import CallerDep, InstrumentsDep
from algo_api.errors import NotFoundError, UnauthenticatedError, UnavailableError, documented
from algo_api.inputs import CleanText
from algo_api.instruments.schemas import InstrumentOut, InstrumentPage, InstrumentState

router = APIRouter(prefix="/instruments", tags=["instruments"])

_EXCHANGE = "^[A-Z]{2,8}$"


@router.get("", responses=documented(UnauthenticatedError, UnavailableError))
async def search_instruments(
    caller: CallerDep,
    instruments: InstrumentsDep,
    q: Annotated[
        CleanText, Query(min_length=1, max_length=64, description="Beginning of a symbol, an ISIN, or words.")
    ],
    exchange: Annotated[str | None, Query(pattern=_EXCHANGE, description="Only of this exchange.")] = None,
    kind: Annotated[str | None, Query(pattern="^(EQ|INDEX|FUT|CE|PE)$", description="Only of this kind.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> InstrumentPage:
    """Search the lists of the day; best first."""
    return await instruments.search(caller, q, exchange=exchange, kind=kind, limit=limit)


@router.get("/state", responses=documented(UnauthenticatedError, UnavailableError))
async def instrument_state(caller: CallerDep, instruments: InstrumentsDep) -> InstrumentState:
    """What was loaded when, from which broker, and what they disagree on."""
    return await instruments.state(caller)


@router.get("/{exchange}/{symbol}", responses=documented(UnauthenticatedError, NotFoundError, UnavailableError))
async def get_instrument(
    caller: CallerDep,
    instruments: InstrumentsDep,
    exchange: Annotated[str, Path(pattern=_EXCHANGE, description="Exchange.")],
    symbol: Annotated[CleanText, Path(min_length=1, max_length=64, description="The platform's name of it.")],
) -> InstrumentOut:
    """One instrument with the tokens of all brokers."""
    return await instruments.get(caller, exchange, symbol)
