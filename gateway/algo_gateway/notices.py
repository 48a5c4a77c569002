"""Notices of the door and of the gateway's own checks, for people.

All go to the log and to the account's events; what needs a person goes to the account's state as well, from which the
operator makes an event of the resource.
"""

import logging
from typing import Final

import msgspec
from algo_crds.contracts.account_state import Alert

from algo_gateway.door.effects import Notice
from algo_gateway.publish import Publisher

log: Final = logging.getLogger("algo_gateway.notices")


def say(notice: Notice, publisher: Publisher, now: int) -> None:
    """Tell people. The state holds the newest error only; the events hold all."""
    log.log(logging.ERROR if notice.error else logging.WARNING, "%s: %s", notice.code, notice.message)
    publisher.event(notice.code, notice.message, now)
    if notice.error:
        alert = Alert(code=notice.code, message=notice.message, time=now)
        publisher.state(alert=msgspec.json.encode(alert).decode())
