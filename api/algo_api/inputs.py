"""Kinds of text that requests share: nothing that PostgreSQL or a log cannot hold gets further than here."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _storable(text: str) -> str:
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF or ord(sign) == 127 for sign in text):
        raise ValueError("must not contain control characters")
    return text


CLEAN = AfterValidator(_storable)
CleanText = Annotated[str, CLEAN]
"""Text without control characters and lone surrogates."""


class Request(BaseModel):
    """Base of request bodies: a misspelt field is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
