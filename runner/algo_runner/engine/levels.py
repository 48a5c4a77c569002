"""The arithmetic of levels: stop, target, limits, bands. Integers only (1/10 000 rupee, basis points).

`sign` is +1 for a long position and -1 for a short one; "beyond" and "through" mean against the position. A band of 0
to 0 is no band.
"""

from typing import Final

from algo_crds.contracts.constants import stop_band_bp
from algo_crds.contracts.orders import Side
from algo_crds.contracts.runtime import Level
from algo_crds.contracts.wire import Instrument

BP: Final = 10_000
"""Basis points in one."""


def sign_of(side: Side) -> int:
    """+1 where the position is long, -1 where it is short."""
    return 1 if side is Side.BUY else -1


def _against(numerator: int, denominator: int, sign: int) -> int:
    """A quotient rounded up for a long and down for a short position: towards the entry, for a level below it."""
    return -(-numerator // denominator) if sign > 0 else numerator // denominator


def stop_level(level: Level, base: int, sign: int, tick: int) -> int:
    """The stop's trigger, rounded to the tick towards the entry, so that the loss is never larger than asked."""
    return _distance_level(level, base, -sign, sign, tick)


def target_level(level: Level, base: int, sign: int, tick: int) -> int:
    """The target, rounded to the tick away from the entry, so that the gain is never smaller than asked."""
    return _distance_level(level, base, sign, sign, tick)


def _distance_level(level: Level, base: int, way: int, sign: int, tick: int) -> int:
    if level.price is not None:
        return _against(level.price, tick, sign) * tick
    if level.bp is not None:
        return _against(base * (BP + way * level.bp), BP * tick, sign) * tick
    return _against(base + way * (level.points or 0), tick, sign) * tick


def in_band(price: int, instrument: Instrument) -> bool:
    """Whether the exchange takes an order at this price today."""
    return instrument.band_high <= 0 or instrument.band_low <= price <= instrument.band_high


def edge(instrument: Instrument, sign: int) -> int:
    """The worst price at which an exit of the position is taken today; 0 without a band."""
    tick = instrument.tick_size
    if instrument.band_high <= 0:
        return 0
    return -(-instrument.band_low // tick) * tick if sign > 0 else instrument.band_high // tick * tick


def stop_limit(trigger: int, sign: int, instrument: Instrument, max_gap_bp: int) -> int:
    """The limit of a resting stop: beyond its trigger by the protection band, inside the broker's permitted gap and
    today's band; 0 where no limit at least one tick beyond the trigger is possible, or the trigger itself is not."""
    tick = instrument.tick_size
    if trigger <= 0 or not in_band(trigger, instrument):
        return 0
    offset = -(-trigger * stop_band_bp(trigger, option=instrument.option) // (BP * tick)) * tick
    if max_gap_bp > 0:
        offset = min(offset, trigger * max_gap_bp // (BP * tick) * tick)
    limit = trigger - sign * offset
    last = edge(instrument, sign)
    if last and sign * (limit - last) < 0:
        limit = last
    return limit if sign * (trigger - limit) >= tick and limit > 0 else 0


def exit_limit(last: int, doublings: int, sign: int, instrument: Instrument) -> int:
    """A marketable limit of an exit: the stop's band beyond the last price, doubled at each re-price, up to the edge of
    today's band. Without a last price: the edge; 0 if there is none either."""
    outer = edge(instrument, sign)
    if last <= 0:
        return outer
    tick = instrument.tick_size
    band = stop_band_bp(last, option=instrument.option)
    if doublings:
        band = min(band << min(doublings, 14), BP)
    limit = _against(last * (BP - sign * band), BP * tick, -sign) * tick
    if outer and sign * (limit - outer) < 0:
        return outer
    return limit if limit > tick else tick


def entry_limit(last: int, sign: int, instrument: Instrument, band_bp: int, max_slippage_bp: int | None) -> int:
    """A marketable limit of an entry: the band rounded up to a tick, capped by the permitted slippage, inside today's
    band."""
    tick = instrument.tick_size
    reach = -(-last * band_bp // (BP * tick)) * tick
    if max_slippage_bp is not None:
        reach = min(reach, last * max_slippage_bp // (BP * tick) * tick)
    limit = _against(last + sign * reach, tick, -sign) * tick
    outer = edge(instrument, -sign)
    if outer and sign * (outer - limit) < 0:
        limit = outer
    return limit


def through(price: int, level: int, sign: int) -> bool:
    """Whether a price is at or beyond a stop level."""
    return level > 0 and sign * (price - level) <= 0


def near(price: int, level: int, sign: int, distance_bp: int) -> bool:
    """Whether a price is beyond a stop level, at it, or less than this distance short of it."""
    return level > 0 and sign * (price - level) * BP < level * distance_bp


def reached(price: int, level: int, sign: int) -> bool:
    """Whether a price is at or past a target level."""
    return level > 0 and sign * (price - level) >= 0
