"""What a refusal means: the broker's codes and texts, mapped to our kinds. Say where each one comes from."""

from typing import Final

from algo_crds.contracts.orders import RejectKind

from algo_brokers.refusal_texts import TextRules, kind_by_words

_ORDER_TEXTS: Final[TextRules] = ()
"""Words that must all occur, in lower case, with their kind; the more certain ones first."""


def kind_of_text(message: str) -> RejectKind:
    """The kind of an order's refusal by its text, `ORDER_OTHER` if it says nothing we know."""
    return kind_by_words(message, _ORDER_TEXTS)


def refusal(status: int, code: str, message: str) -> RejectKind | None:
    """The certain refusal that an error answer to a write means, or None where the order may stand all the same."""
    raise NotImplementedError
