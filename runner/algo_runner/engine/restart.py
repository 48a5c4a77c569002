"""Restart and gap: everything starts with the broker's book, and what the book lacks is unknown until it is certain.

A read that failed changes no belief. Absent means: missing in two successful reads, a second apart, both begun after
`send_before` plus the HTTP time-out plus the broker's visibility delay.
"""

import zlib

import msgspec
from algo_crds.contracts import wire
from algo_crds.contracts.orders import Leg, OrderStatus, OrderType
from algo_crds.contracts.runtime import FORCED_MESSAGE
from algo_crds.contracts.tags import parse_tag
from msgspec.structs import replace

from algo_runner.engine import rows
from algo_runner.engine.calls import queue_done, read_book, read_positions
from algo_runner.engine.exit import clear_backoffs
from algo_runner.engine.hand import cross_check
from algo_runner.engine.orders import held, is_final, is_unknown, line_live, live_entries, primary
from algo_runner.engine.session import can_call, evidence_from, set_times, take_session
from algo_runner.engine.state import Ask, Order, forget_calls
from algo_runner.engine.turn import Turn

BOOK_EVERY_MS = 1_000
SHOWS_MS = 1_000
"""How long a row may take before the book is asked for it."""
BEFORE_ENTRY_MS = 10_000


def welcome(t: Turn, event: wire.Welcome) -> None:
    """A new connection to the door: nothing that was under way will be answered."""
    s = t.s
    forget_calls(s)
    s.epoch = event.epoch
    s.connected = True
    s.connected_at = t.now
    s.capability = event.capability
    s.broker = event.broker
    s.market.source = event.source
    s.door_last_send = event.last_send
    take_session(t, event.instrument, event.session)
    if not s.continuous:
        s.blind_until = max(s.blind_until, _blind_until(t, event))
    s.continuous = True
    reread(t)
    s.next_positions_at = t.now
    s.positions_at = 0
    for tag in event.in_flight:
        _in_flight(t, tag.lower())
    clear_backoffs(t)


def _blind_until(t: Turn, event: wire.Welcome) -> int:
    """From when on a book shows what an earlier process may have sent without a trace in its journal, 0 for at once.

    Attempts rise and a journal keeps their order: who knows the last order that was placed knows all of them. A tag
    that is not known is not used again either.
    """
    s = t.s
    tag = event.last_tag.lower()
    if event.last_send == 0 or tag in s.orders:
        return 0
    parsed = parse_tag(tag)
    if parsed is not None and parsed.strategy_hash == s.hash8 and parsed.day.isoformat() == s.day:
        s.highest = max(s.highest, parsed.attempt)
    visible = event.last_send + event.capability.visibility_delay_ms
    return visible if visible > t.now else 0


def reread(t: Turn) -> None:
    """Order rows may have been missed: start again with the book."""
    s = t.s
    s.reconciled = False
    s.reread_since = t.now
    s.book_failures = 0
    s.next_book_at = t.now


def _in_flight(t: Turn, tag: str) -> None:
    """The door had sent this for an earlier connection and does not know that its outcome was heard."""
    s = t.s
    parsed = parse_tag(tag)
    if parsed is None or parsed.strategy_hash != s.hash8 or parsed.day.isoformat() != s.day:
        return
    s.highest = max(s.highest, parsed.attempt)
    order = s.orders.get(tag)
    if parsed.leg is Leg.ENTRY:
        s.entry_started = True
        if order is None or not order.lines:
            s.entry_barred = s.entry_barred or "the outcome of an entry was unknown"
    if order is None:
        s.run = max(s.run, 1)
        s.run_open = True
        s.ended = False
        quantity = s.spec.spec.quantity if parsed.leg is Leg.ENTRY else 0
        side = s.spec.spec.side if parsed.leg is Leg.ENTRY else t.exit_side
        order = Order(
            tag=tag,
            leg=parsed.leg,
            attempt=parsed.attempt,
            run=s.run,
            side=side,
            own=OrderStatus.UNKNOWN,
            ask=Ask(at=t.now, type=OrderType.LIMIT, quantity=quantity, price=0),
            send_before=t.now,
            was_unknown=True,
        )
    elif not order.lines and order.own is not OrderStatus.REJECTED:
        # Also one that was called absent: what is under way now may still be done, so its run is not over.
        s.run_open, s.ended = True, False
        order = replace(order, own=OrderStatus.UNKNOWN, was_unknown=True, handled=False, absent_reads=0)
    t.put(order)


def health(t: Turn, event: wire.BrokerHealth) -> None:
    """Session, breaker and halts of the account. A session that returns begins with the book."""
    s = t.s
    before = s.broker
    s.broker = event
    set_times(t)
    if before is None:
        return
    was, now = before.session_valid_until > t.now, event.session_valid_until > t.now
    if now and not was:
        reread(t)
    if (was, before.halted, before.breaker_open) != (now, event.halted, event.breaker_open):
        clear_backoffs(t)
    if was and not now and held(s) > 0:
        t.alert(
            "critical",
            "SessionLost",
            "the broker session ended with a position open: log in now; the resting stop stays at the exchange",
        )


def book(t: Turn, event: wire.Book) -> None:
    """A read of the order book."""
    s = t.s
    for req, call in tuple(s.calls.items()):
        if call.kind == "book" and event.req == req:
            s.calls.pop(req)
    if event.unavailable:
        s.book_failures += 1
        s.next_book_at = max(s.next_book_at, t.now + BOOK_EVERY_MS)
        if s.book_failures == 3:
            t.alert("critical", "BookUnreadable", f"the broker's order book cannot be read: {event.unavailable}")
        return
    seen = {tag for row in event.rows if (tag := rows.take(t, row)) is not None}
    for order in tuple(s.orders.values()):
        if order.tag not in seen:
            _missing(t, order, event.begun_at)
    s.book_failures = 0
    s.book_at = max(s.book_at, event.begun_at)
    content = [replace(row, read_at=0) for row in event.rows]
    s.book_print = zlib.crc32(msgspec.json.encode(content))
    cross_check(t, event.begun_at)
    if event.begun_at >= s.reread_since:
        s.reconciled = True


def _missing(t: Turn, order: Order, begun_at: int) -> None:
    """A successful read does not show this order."""
    s = t.s
    if s.capability is None or (is_final(order) and not is_unknown(order)):
        return
    wait = s.capability.visibility_delay_ms
    line = primary(order)
    if line is not None:
        certain_from = max(entry.read_at for entry in order.lines) + wait
    else:
        certain_from = order.send_before + s.constants.http_timeout_ms + wait
    if begun_at <= certain_from:
        return
    if order.own is not OrderStatus.UNKNOWN:
        if order.leg is Leg.ENTRY:
            s.entry_barred = s.entry_barred or "the outcome of an entry was unknown"
        order = replace(order, own=OrderStatus.UNKNOWN, was_unknown=True)
        t.alert("critical", "OrderMissing", f"order {order.tag} ({order.leg}) is missing in the broker's book")
    if not order.absent_reads or begun_at >= order.absent_read_at + s.constants.absent_read_gap_ms:
        order = replace(order, absent_reads=order.absent_reads + 1, absent_read_at=begun_at)
    if order.absent_reads >= s.constants.absent_reads:
        call_absent(t, order, "not in the book in two reads")
    else:
        t.put(order)


def call_absent(t: Turn, order: Order, why: str) -> None:
    """Certain: the broker does not have this order. It may still appear; then it is cancelled, or its fills count."""
    lines = tuple(
        replace(line, status=OrderStatus.CANCELLED, changed_at=t.now) if line_live(line) else line
        for line in order.lines
    )
    t.put(
        replace(
            order, own=OrderStatus.NOT_SENT, absent=True, answered=True, busy=0, lines=lines, message=why, handled=False
        )
    )
    t.alert("warning", "OrderAbsent", f"order {order.tag} ({order.leg}): {why}")
    if order.tag in t.s.queue:
        queue_done(t, order.tag)


def force_second_sell(t: Turn) -> None:
    """A person takes the risk of a second sell: what the annotation on the resource says (command `force` is the other
    way).

    Each word counts once, also one about an order that is not unknown, or not known: it must not wait for a later
    doubt. `State.forced_tag` holds the word that was read last, so that a word that still stands is not obeyed again;
    the view tells it, and the operator then takes the word back. A state that begins from nothing (`initial`) counts
    the word that it finds as read: whether it was obeyed before the memory was lost, nobody can tell, and a person can
    say it again.
    """
    s = t.s
    tag = s.spec.force_second_sell
    if tag == s.forced_tag:
        return
    s.forced_tag = tag
    if tag:
        force(t, tag, "annotation")


def force(t: Turn, tag: str, actor: str) -> None:
    """Call the named unknown sell absent on a person's word: it stops to block others. Kept in the journal."""
    order = t.s.orders.get(tag)
    if order is None or order.leg is Leg.ENTRY or not is_unknown(order):
        t.note("second sell not forced", f"{actor} {tag}".strip())
        t.alert("warning", "NothingForced", f"order {tag} is no sell of unknown outcome: no second sell is forced")
        return
    t.note("second sell forced by a person", f"{actor} {tag}".strip())
    call_absent(t, order, FORCED_MESSAGE)


def reads(t: Turn) -> None:
    """Ask for the book and the positions where a belief waits for them."""
    s = t.s
    if not can_call(t):
        return
    if _book_wanted(t) and t.due(s.next_book_at):
        urgent = not s.reconciled or any(is_unknown(order) for order in s.orders.values())
        read_book(t, urgent=urgent)
        s.next_book_at = t.now + BOOK_EVERY_MS
    if s.session is None or t.now >= s.session.last_match:
        return
    before_entry = s.buy_at - BEFORE_ENTRY_MS
    waiting = s.run_open and not s.entry_over and not s.entry_started
    if waiting and s.positions_at < before_entry <= t.now:
        s.next_positions_at = min(s.next_positions_at, max(s.positions_asked_at + BOOK_EVERY_MS, t.now))
    elif waiting and t.now < before_entry:
        t.wake_at(before_entry)
    visible = evidence_from(s)
    if waiting and (s.positions_at < visible or s.book_at < visible) and t.due(visible):
        s.next_positions_at = min(s.next_positions_at, s.positions_asked_at + BOOK_EVERY_MS)
    if (waiting or held(s) > 0 or not s.positions_at) and t.due(s.next_positions_at):
        s.positions_asked_at = t.now
        s.next_positions_at = t.now + 5 * BOOK_EVERY_MS
        read_positions(t)


def _book_wanted(t: Turn) -> bool:
    s = t.s
    if not s.reconciled or not s.positions_checked or s.book_at < s.blind_until or _settling(t):
        return True
    visible = evidence_from(s)
    if s.book_at < visible and s.run_open and not s.entry_over and t.due(visible):
        return True
    wanted = False
    for order in s.orders.values():
        if is_unknown(order):
            wanted = True
        elif not is_final(order):
            wanted = _row_awaited(t, order) or wanted
    return wanted


def _row_awaited(t: Turn, order: Order) -> bool:
    """Whether a row of this live order is overdue."""
    line = primary(order)
    if order.refused_at and (line is None or line.read_at <= order.refused_at):
        return True
    if line is None:
        return t.due(order.ask.at + SHOWS_MS)
    ask = order.ask
    shows = (line.type, line.quantity, line.price, line.trigger) == (ask.type, ask.quantity, ask.price, ask.trigger)
    if line.status is OrderStatus.PENDING or not shows:
        return t.due(max(ask.at, line.read_at) + SHOWS_MS)
    return order.cancel_asked and t.due(order.cancel_at + SHOWS_MS)


def settled_at(t: Turn) -> int:
    """When something last happened to an order."""
    times = [0]
    for order in t.s.orders.values():
        times.append(max(order.ask.at, order.cancel_at, order.accepted_at))
        times.extend(line.changed_at for line in order.lines)
    return max(times)


def _settling(t: Turn) -> bool:
    """Whether the end of the run waits for the book."""
    s = t.s
    if not s.run_open or s.ended or not s.orders or live_entries(s) or held(s) != 0:
        return bool(s.session and s.run_open and s.orders and t.now >= s.session.last_match > s.book_at)
    return all(is_final(order) for order in s.orders.values()) and s.book_at < settled_at(t)


def session_changed(t: Turn, event: wire.SessionChanged) -> None:
    """Another day, band or instrument list."""
    s = t.s
    day = s.day
    take_session(t, event.instrument, event.session)
    if s.day != day:
        reread(t)
    clear_backoffs(t)
