"""What a gateway tells of its account through the hash `account:{id}:state`, beside plain fields.

Which address its order calls leave from, and the newest error that a person must look at: one vocabulary for gateway,
operator and API.
"""

from enum import StrEnum

import msgspec


class EgressState(StrEnum):
    """How the address in use stands to the registered one; reasons of a BrokerAccount's condition `EgressAddress`."""

    REGISTERED = "Registered"
    DIFFERS = "Differs"
    NONE_REGISTERED = "NoneRegistered"
    """The address is known, and the account's spec registers none to compare it with."""
    NOT_CHECKED = "NotChecked"
    UNREACHABLE = "Unreachable"
    """The service that tells the address did not answer with one."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """The newest error that a person must look at; field `alert`. Earlier ones are in `account:{id}:events`."""

    code: str
    message: str
    time: int
    """Session time in ms."""
