"""Default constants of the platform, each overridable by whoever builds a component. Times in milliseconds.

The unit of the first group is session time; the second group is monotonic wall time (see `clock`).
"""

import msgspec


class EngineConstants(msgspec.Struct, frozen=True, kw_only=True):
    """What the strategy engine counts with, all in session time and basis points (1/100 of a percent)."""

    entry_window_ms: int = 60_000
    entry_timeout_ms: int = 5_000
    entry_band_bp: int = 20
    freshness_ms: int = 10_000
    entry_freshness_ms: int = 3_000
    clock_skew_ms: int = 2_000
    send_before_ms: int = 2_000
    http_timeout_ms: int = 7_000
    absent_reads: int = 2
    absent_read_gap_ms: int = 1_000
    stop_grace_ms: int = 300
    unconfirmed_ms: int = 3_000
    gather_ms: int = 200
    reprice_ms: int = 2_000
    reprice_modifications: int = 15
    kept_modifications: int = 10
    square_off_margin_ms: int = 300_000
    square_off_margin_floor_ms: int = 180_000
    reject_backoff_ms: tuple[int, ...] = (1_000, 2_000, 4_000, 8_000, 15_000)
    quote_age_ms: int = 2_000
    trailing_step_bp: int = 10
    trailing_interval_ms: int = 5_000


class ShellConstants(msgspec.Struct, frozen=True, kw_only=True):
    """What the shells count with, all in monotonic wall time."""

    lease_ms: int = 15_000
    self_fence_ms: int = 10_000
    lease_renew_ms: int = 2_000
    breaker_failures: int = 5
    breaker_window_ms: int = 30_000
    breaker_half_open_ms: int = 15_000
    barrier_timeout_ms: int = 30_000
    orders_per_window: int = 8
    order_window_ms: int = 1_100
    exit_share_percent: int = 30
    sigterm_ms: int = 20_000


ENGINE = EngineConstants()
SHELL = ShellConstants()


def stop_band_bp(trigger: int, *, option: bool = False) -> int:
    """Distance from trigger to limit of a resting stop in basis points, by price (Price units).

    Source: Zerodha's automatic market-protection bands (support article "market price protection").
    """
    if option:
        return 1000 if trigger < 100_000 else 500 if trigger < 1_000_000 else 300 if trigger < 5_000_000 else 200
    return 200 if trigger < 1_000_000 else 100 if trigger < 5_000_000 else 50
