"""A feed's listener that hears no secret: a broker may echo in its socket's messages what it was sent."""

from algo_brokers.port import FeedListener
from algo_brokers.session import Session, hide


class Discreet:
    """The owner's listener, for one session. What is told often goes straight through."""

    def __init__(self, listener: FeedListener, session: Session) -> None:
        self._listener = listener
        self._session = session
        self.on_ticks = listener.on_ticks
        self.on_row = listener.on_row
        self.on_frame = listener.on_frame
        self.on_connection = listener.on_connection

    def on_trouble(self, reason: str) -> None:
        """As in the port, without the session's secrets."""
        self._listener.on_trouble(hide(reason, self._session))

    def on_closed(self, reason: str) -> None:
        """As in the port, without the session's secrets."""
        self._listener.on_closed(hide(reason, self._session))
