"""An instrument in the API's form, from its row or from the cache."""

from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from algo_crds.contracts.money import to_decimal

from algo_api.instruments.models import InstrumentLoad
from algo_api.instruments.schemas import DisagreementOut, InstrumentOut, LoadOut, SourceOut


class Told(Protocol):
    """What rows and cached records have alike."""

    @property
    def exchange(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def tick_size(self) -> int: ...
    @property
    def lot(self) -> int: ...
    @property
    def freeze_quantity(self) -> int: ...
    @property
    def band_low(self) -> int: ...
    @property
    def band_high(self) -> int: ...
    @property
    def closing_auction(self) -> bool | None: ...
    @property
    def isin(self) -> str: ...
    @property
    def expiry(self) -> date | None: ...
    @property
    def strike(self) -> int: ...
    @property
    def underlying(self) -> str: ...
    @property
    def tokens(self) -> dict[str, Any]: ...
    @property
    def broker_symbols(self) -> dict[str, Any]: ...


def instrument_out(one: Told) -> InstrumentOut:
    """What is not known is null."""
    return InstrumentOut(
        exchange=one.exchange,
        symbol=one.symbol,
        name=one.name,
        kind=one.kind,
        tick_size=_price(one.tick_size),
        lot=one.lot or None,
        freeze_quantity=one.freeze_quantity or None,
        band_low=_price(one.band_low),
        band_high=_price(one.band_high),
        closing_auction=one.closing_auction,
        isin=one.isin or None,
        expiry=one.expiry,
        strike=_price(one.strike),
        underlying=one.underlying or None,
        tokens={broker: str(token) for broker, token in one.tokens.items() if token},
        broker_symbols=one.broker_symbols,
    )


def load_out(load: InstrumentLoad) -> LoadOut:
    """What was loaded of one exchange."""
    return LoadOut(
        exchange=load.exchange,
        day=load.day,
        loaded_at=load.loaded_at,
        tried_at=load.tried_at,
        milliseconds=load.milliseconds,
        listed=load.listed,
        changed=load.changed,
        vanished=load.vanished,
        trouble=load.trouble,
        sources={broker: SourceOut.model_validate(source) for broker, source in load.sources.items()},
        disagreements=load.disagreements.get("count", {}),
        examples=[DisagreementOut.model_validate(one) for one in load.disagreements.get("examples", ())],
    )


def _price(value: int) -> Decimal | None:
    return to_decimal(value) if value else None
