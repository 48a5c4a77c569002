"""Hypothesis profiles, and the model world on the path of these tests."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# Deterministic in CI, so that a change is judged by itself; `more` and `deep` look for what nobody thought of.
settings.register_profile(
    "ci",
    max_examples=60,
    deadline=None,
    suppress_health_check=_CHECKS,
    print_blob=True,
    derandomize=True,
    database=None,
)
settings.register_profile("more", max_examples=400, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
settings.register_profile("deep", max_examples=3_000, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
settings.load_profile(os.environ.get("ALGO_HYPOTHESIS_PROFILE", "ci"))
