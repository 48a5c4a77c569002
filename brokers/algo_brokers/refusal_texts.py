"""How a broker's words become a kind of refusal: the rules are each broker's own, the way they are read is one.

Texts are matched in lower case and in the order of the rules, the more certain ones first: one text may speak of a
trigger price and of the circuit, and then the circuit is the cause.
"""

from algo_crds.contracts.orders import RejectKind

TextRules = tuple[tuple[tuple[str, ...], RejectKind], ...]
"""Words that must all occur, and what they mean."""


def kind_by_words(message: str, rules: TextRules) -> RejectKind:
    """The kind of the first rule whose words all occur, `ORDER_OTHER` if the text says nothing we know."""
    text = message.lower()
    for words, kind in rules:
        if all(word in text for word in words):
            return kind
    return RejectKind.ORDER_OTHER


def has_any(text: str, needles: tuple[str, ...]) -> bool:
    """Whether one of them occurs in a text, which is in lower case already."""
    return any(needle in text for needle in needles)
