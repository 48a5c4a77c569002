"""Instruments on the wire: prices as decimal strings, tokens of all brokers."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from algo_api.strategies.schemas import Rupees


class InstrumentOut(BaseModel):
    """One instrument, as all brokers' lists of the day say."""

    exchange: str = Field(description="NSE, NFO, ...")
    symbol: str = Field(description="The platform's one name of it.")
    name: str = Field(description="Name in words.")
    kind: str = Field(description="EQ, FUT, CE, PE or INDEX; empty where brokers disagree.")
    tick_size: Rupees | None = Field(default=None, description="Step of prices; null if not known.")
    lot: int | None = Field(default=None, description="Quantities are multiples of it; null if not known.")
    freeze_quantity: int | None = Field(default=None, description="Largest quantity of one order; null if not known.")
    band_low: Rupees | None = Field(default=None, description="Lowest price of the day; null if not known.")
    band_high: Rupees | None = Field(default=None, description="Highest price of the day; null if not known.")
    closing_auction: bool | None = Field(default=None, description="Takes part in the closing auction.")
    isin: str | None = Field(default=None, description="ISIN of a share.")
    expiry: date | None = Field(default=None, description="Last day of a contract.")
    strike: Rupees | None = Field(default=None, description="Strike of an option.")
    underlying: str | None = Field(default=None, description="What a contract is on.")
    tokens: dict[str, str] = Field(description="Token by broker, as text: some exceed what JavaScript counts.")
    broker_symbols: dict[str, str] = Field(description="Brokers' own spellings where they are others.")


class InstrumentPage(BaseModel):
    """Instruments that fit a search, best first."""

    items: list[InstrumentOut] = Field(description="Exact symbol or ISIN, then beginnings, then words of the name.")


class SourceOut(BaseModel):
    """One broker's list."""

    listed: int = Field(description="Lines that were taken.")
    trouble: str = Field(description="Why the list could not be read; empty if it was.")


class DisagreementOut(BaseModel):
    """What brokers say differently of one instrument."""

    symbol: str = Field(description="Of which instrument.")
    field: str = Field(description="Of what.")
    said: dict[str, str] = Field(description="By broker.")
    taken: str = Field(description="What counts; empty: not known.")


class LoadOut(BaseModel):
    """The last reading of an exchange's lists."""

    exchange: str = Field(description="Exchange.")
    day: date = Field(description="Day by the exchange's calendar.")
    loaded_at: datetime | None = Field(description="When lists were read last on that day; null: none could be.")
    tried_at: datetime = Field(description="When it was tried last.")
    milliseconds: int = Field(description="How long it took.")
    listed: int = Field(description="Instruments in the table.")
    changed: int = Field(description="New or changed ones.")
    vanished: int = Field(description="Ones that are in no list any more.")
    trouble: str = Field(description="What was wrong with the whole.")
    sources: dict[str, SourceOut] = Field(description="By broker.")
    disagreements: dict[str, int] = Field(description="How many by field.")
    examples: list[DisagreementOut] = Field(description="Some of them.")


class InstrumentState(BaseModel):
    """What was loaded when."""

    loads: list[LoadOut] = Field(description="The newest of each exchange.")
