"""What the door wants its shell to do, in order."""

import msgspec
from algo_crds.contracts import wire

Write = wire.Place | wire.Modify | wire.Cancel


class Send(msgspec.Struct, frozen=True):
    """Make this broker call now, once, and report its outcome with `call`."""

    call: int
    write: Write


class Reply(msgspec.Struct, frozen=True):
    """Send a message on a runner's connection."""

    connection: int
    message: wire.ToRunner


class Cut(msgspec.Struct, frozen=True):
    """Close a runner's connection; `EpochLost` has been replied to it if its epoch is over."""

    connection: int
    reason: str


class Notice(msgspec.Struct, frozen=True):
    """Something that the account's log and metrics should say."""

    code: str
    message: str
    strategy: str = ""
    error: bool = False
    """A person must look at it: the account's resource gets an event too."""


Effect = Send | Reply | Cut | Notice
