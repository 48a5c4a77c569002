"""Identifiers: a prefix and a ULID in lower case, and how they become names of resources.

A resource's name is the id with `-` for `_`. A resource made by kubectl under another name gets an id derived from its
uid, so that nothing has to be stored and a restore yields the same id.
"""

import base64
import hashlib
import re
import secrets
import time
import uuid
from typing import Final

PREFIXES: Final = ("usr", "str", "brk", "ord", "queue", "src", "tnt", "key", "aud")
_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_ID: Final = re.compile(r"^(usr|str|brk|ord|queue|src|tnt|key|aud)_[0-9a-hjkmnp-tv-z]{26}$")


def new_id(prefix: str) -> str:
    """A new identifier, sortable by its time of making (48 bits of milliseconds, 80 random bits)."""
    if prefix not in PREFIXES:
        raise ValueError(f"unknown id prefix {prefix!r}; use one of {', '.join(PREFIXES)}")
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return f"{prefix}_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def is_id(text: str, prefix: str | None = None) -> bool:
    """Whether the text is an identifier, of the given prefix if one is named."""
    return bool(_ID.match(text)) and (prefix is None or text.startswith(f"{prefix}_"))


def resource_name(identifier: str) -> str:
    """The Kubernetes name of an identifier."""
    return identifier.replace("_", "-")


def id_of_resource(prefix: str, name: str, uid: str) -> str:
    """The identifier of a resource: from its name where that is one, otherwise from its uid (base 32, 26
    characters)."""
    candidate = name.replace("-", "_", 1)
    if is_id(candidate, prefix):
        return candidate
    return _identifier(prefix, uuid.UUID(uid).bytes)


def id_of_parts(prefix: str, *parts: str) -> str:
    """The identifier of what is named by other names together, the same every time: nothing has to be stored."""
    text = "\0".join(parts).encode()
    return _identifier(prefix, hashlib.blake2b(text, digest_size=16).digest())


def _identifier(prefix: str, sixteen: bytes) -> str:
    """Sixteen bytes as base 32, 26 characters."""
    digits = base64.b32hexencode(sixteen).decode().rstrip("=").lower()
    return f"{prefix}_" + digits.translate(str.maketrans("0123456789abcdefghijklmnopqrstuv", _CROCKFORD))
