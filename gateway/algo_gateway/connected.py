"""What the hub knows of one runner's connection."""

from collections.abc import Callable

import msgspec
from algo_crds.contracts.tokens import RunnerClaims

from algo_gateway.instrument_day import InstrumentDay
from algo_gateway.symbols import SymbolKey


class Runner(msgspec.Struct, kw_only=True):
    """One runner's connection; mutable."""

    connection: int
    claims: RunnerClaims
    key: SymbolKey
    send: Callable[[bytes], None]
    welcomed: bool = False
    told: InstrumentDay | None = None
    """The facts of the day that it was told last."""
    row_seq: int = 0
