"""Errors of broker calls: one tree, raised where an answer is read and handled where the call was made.

    BrokerError
    ├── SessionRefused     the broker no longer knows the session; only a login helps
    ├── AddressRefused     the outgoing address is not registered
    ├── TooManyRequests    a rate limit was hit; nothing was done
    ├── BrokerUnavailable  no answer, or the broker said it cannot answer now
    ├── BadAnswer          an answer that cannot be trusted; it says nothing about orders
    └── RequestRefused     the broker refused a read or a login for another reason

Only reads and logins raise them. A write has outcomes (`outcomes.py`), because its caller must branch.
"""


class BrokerError(Exception):
    """A call to a broker failed. The text names what to do and never holds a secret."""


class SessionRefused(BrokerError):  # noqa: N818 - named as what happened
    """The session is over: expired, logged out, or replaced by another login."""


class AddressRefused(BrokerError):  # noqa: N818
    """The broker does not accept calls from this outgoing address."""


class TooManyRequests(BrokerError):  # noqa: N818
    """The broker's rate limit was hit."""


class BrokerUnavailable(BrokerError):  # noqa: N818
    """The broker could not be reached or could not answer."""


class BadAnswer(BrokerError):  # noqa: N818
    """The answer does not have the documented form."""


class RequestRefused(BrokerError):  # noqa: N818
    """The broker refused the request."""
