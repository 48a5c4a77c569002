"""The market: sessions, instruments, recorded ticks and bars, tick checks, matching."""
