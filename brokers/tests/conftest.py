"""Modules that the tests of several brokers share lie in `support/`, each broker's own beside its tests."""

import sys
from pathlib import Path

for folder in ("angelone", "dhan", "fyers", "zerodha", "support"):
    sys.path.insert(0, str(Path(__file__).parent / folder))
