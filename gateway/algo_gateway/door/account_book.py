"""The account's orders of the day as the gateway knows them, from book reads and socket rows. Pure.

The merge follows the one rule that survives missed, repeated and late messages: a larger filled quantity is believed
from any row; otherwise final beats live and the newest reading beats older ones.
"""

from datetime import date

import msgspec
from algo_crds.contracts.orders import FINAL, Leg, OrderRow, Side
from algo_crds.contracts.tags import parse_tag


class AccountBook:
    """Rows by broker id, and what follows from them."""

    def __init__(self) -> None:
        self._rows: dict[str, OrderRow] = {}
        self._day: date | None = None

    def start_day(self, day: date) -> None:
        """Orders are for a day: what an earlier day left in the book neither lives nor is held by it any more."""
        if self._day is not None and day != self._day:
            self._rows.clear()
        self._day = day
        self._rows = {key: row for key, row in self._rows.items() if self._of_today(row)}

    def _of_today(self, row: OrderRow) -> bool:
        tag = parse_tag(row.tag)
        return tag is None or self._day is None or tag.day == self._day

    def merge(self, row: OrderRow) -> bool:
        """Take a row; says whether it changed anything."""
        if not self._of_today(row):
            return False
        old = self._rows.get(row.broker_order_id)
        if old is not None:
            row = _merged(old, row)
            if row == old:
                return False
        self._rows[row.broker_order_id] = row
        return True

    def row(self, broker_order_id: str) -> OrderRow | None:
        """An order's row."""
        return self._rows.get(broker_order_id)

    def live_entries(self) -> tuple[OrderRow, ...]:
        """Entries of ours that may still fill."""
        found = []
        for row in self._rows.values():
            parsed = parse_tag(row.tag)
            if parsed is not None and parsed.leg is Leg.ENTRY and row.status not in FINAL:
                found.append(row)
        return tuple(found)

    def sent(self) -> int:
        """How many orders of ours there are, whatever became of them."""
        return sum(parse_tag(row.tag) is not None for row in self._rows.values())

    def live(self) -> bool:
        """Whether any of our orders is not final."""
        return any(row.status not in FINAL and parse_tag(row.tag) for row in self._rows.values())

    def net(self) -> dict[str, int]:
        """Filled quantity by strategy hash, bought less sold, where it is not zero."""
        totals: dict[str, int] = {}
        for row in self._rows.values():
            parsed = parse_tag(row.tag)
            if parsed is not None and row.filled:
                signed = row.filled if row.side is Side.BUY else -row.filled
                totals[parsed.strategy_hash] = totals.get(parsed.strategy_hash, 0) + signed
        return {name: total for name, total in totals.items() if total}

    def open_positions(self) -> int:
        """Strategies that hold a position, as far as their own orders tell."""
        return len(self.net())

    def live_hashes(self, symbol: tuple[str, str, str]) -> set[str]:
        """Strategies with a live order or a position in a symbol and product."""
        net = self.net()
        found = set()
        for row in self._rows.values():
            parsed = parse_tag(row.tag)
            if parsed is None or (row.exchange, row.symbol, str(row.product)) != symbol:
                continue
            if row.status not in FINAL or parsed.strategy_hash in net:
                found.add(parsed.strategy_hash)
        return found


def _merged(old: OrderRow, new: OrderRow) -> OrderRow:
    filled = max(old.filled, new.filled)
    average = (new if new.filled >= old.filled else old).average_price or old.average_price
    if old.status in FINAL and new.status not in FINAL:
        base = old
    elif new.status in FINAL and old.status not in FINAL:
        base = new
    else:
        base = new if new.read_at >= old.read_at else old
    return msgspec.structs.replace(
        base,
        filled=filled,
        average_price=average,
        tag=base.tag or old.tag or new.tag,
        exchange_order_id=base.exchange_order_id or old.exchange_order_id or new.exchange_order_id,
    )
