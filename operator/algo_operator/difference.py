"""Whether the cluster already holds what was rendered, so that a pass over an unchanged world writes nothing.

A desired manifest is held when the digest annotation of the last apply is the same (no field was dropped from it since)
and every value it names is still there (nobody changed one). Fields that the API server added are no difference.
"""

import re
from decimal import Decimal
from typing import Any

from algo_operator.render.metadata import sealed
from algo_operator.vocabulary import ANNOTATION_APPLIED, Manifest


def is_held(desired: Manifest, observed: Manifest | None) -> bool:
    """Whether applying `desired` would change nothing."""
    if observed is None:
        return False
    wanted = sealed(desired)
    applied = observed.get("metadata", {}).get("annotations", {}).get(ANNOTATION_APPLIED)
    return applied == wanted["metadata"]["annotations"][ANNOTATION_APPLIED] and contains(observed, wanted)


def contains(observed: Any, desired: Any) -> bool:
    """Whether every value of `desired` stands in `observed`; lists must have equal length and order."""
    if isinstance(desired, dict):
        return isinstance(observed, dict) and all(
            key in observed and contains(observed[key], value) for key, value in desired.items()
        )
    if isinstance(desired, list):
        return (
            isinstance(observed, list)
            and len(observed) == len(desired)
            and all(contains(one, other) for one, other in zip(observed, desired, strict=True))
        )
    return bool(observed == desired) or _same_quantity(observed, desired)


_QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")
_UNITS = {
    "": Decimal(1), "m": Decimal("0.001"), "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9),
    "T": Decimal(10**12), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
}  # fmt: skip


def _same_quantity(observed: Any, desired: Any) -> bool:
    """Whether two texts are one amount: the API server rewrites `2000m` as `2` and `1024Mi` as `1Gi`."""
    amounts = [_quantity(value) for value in (observed, desired) if isinstance(value, str)]
    return len(amounts) == 2 and amounts[0] is not None and amounts[0] == amounts[1]


def _quantity(text: str) -> Decimal | None:
    if not (match := _QUANTITY.match(text)):
        return None
    return Decimal(match[1]) * _UNITS[match[2] or ""]
