"""Resources in and statuses out, through the shared translation, as plain JSON values.

Money becomes a JSON number whose double is the nearest to the decimal: the API server stores doubles, and what is
compared with what it returns must be one too. Nothing is computed with these numbers.
"""

from decimal import Decimal
from typing import Any

from algo_crds.contracts.runtime import StrategySpec, StrategyView
from algo_crds.resources import strategy as resources
from algo_crds.resources import translate

from algo_operator.vocabulary import Manifest


def translate_spec(strategy: Manifest) -> StrategySpec:
    """The part of a Strategy that its engine needs.

    Raises:
        ValueError: the spec breaks a rule; the message says which.
    """
    return translate.runtime_spec(resources.StrategySpec.model_validate(strategy["spec"]))


def translate_view(view: StrategyView) -> Manifest:
    """`.status` as the runner tells it."""
    status: Manifest = plain(translate.strategy_status(view))
    return status


def plain(value: Any) -> Any:
    """The same value with numbers that JSON knows."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
