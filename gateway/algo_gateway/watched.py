"""Symbols whose prices are copied for charts, recorders and pages though no runner of the account trades them.

Tokens of derivatives change from day to day, so the list is read and looked up anew each day. It is a person's, and
charts hang on it, not orders: where it is absent nothing is watched, and one that cannot be read is said in the log.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

from algo_brokers.errors import BrokerError

from algo_gateway.settings import SettingsError
from algo_gateway.symbols import SymbolKey, Symbols

log: Final = logging.getLogger("algo_gateway.watched")
_LOOK_S: Final = 0.5
_RETRY_S: Final = 5.0


def read_watched(file: Path) -> list[SymbolKey]:
    """The symbols of a file, `EXCHANGE:SYMBOL` a line; none where there is no file.

    Raises:
        SettingsError: the file cannot be read, or a line names no symbol.
    """
    try:
        lines = file.read_text().split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the file of watched symbols cannot be read: {error}") from None
    found = []
    for line in filter(None, map(str.strip, lines)):
        exchange, colon, symbol = line.partition(":")
        if not (exchange and colon and symbol):
            raise SettingsError(f"{line!r} in the file of watched symbols must be EXCHANGE:SYMBOL")
        found.append((exchange, symbol))
    return found


async def follow(
    file: Path,
    symbols: Symbols,
    *,
    today: Callable[[], date | None],
    subscribe: Callable[[list[int]], None],
) -> None:
    """Until cancelled: each day, as soon as the feed is up (`today` is not None), subscribe to the file's symbols."""
    followed: date | None = None
    while True:
        day = today()
        if day is None or day == followed:
            await asyncio.sleep(_LOOK_S)
            continue
        try:
            keys = read_watched(file)
            missing = await symbols.watch(keys) if keys else []
        except SettingsError as error:
            log.error("watched symbols: none today, %s", error)
            followed = day
            continue
        except BrokerError as error:
            log.warning("watched symbols: %s; trying again", error)
            await asyncio.sleep(_RETRY_S)
            continue
        if missing:
            log.warning(
                "watched symbols: the broker does not list %d of them, such as %s:%s", len(missing), *missing[0]
            )
        if keys:
            subscribe(symbols.tokens())
        followed = day
