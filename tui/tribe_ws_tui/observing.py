"""``Observer``: turns what one session sends, gets and is told into events held and a state that is known.

The journal makes records, the inspection holds them, the store works out what they mean. Screens hear of a
change at most twice a second; of a change of the link at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.message import Message

from tribe_ws.capture import notices
from tribe_ws.capture.journal import Journal
from tribe_ws.capture.names import Names
from tribe_ws.capture.record import Record
from tribe_ws.capture.words import latency_text
from tribe_ws.client.connection import HANDSHAKE_DONE
from tribe_ws.client.events import (
    CatchUpFailed,
    Dropped,
    Event,
    Lost,
    Notice,
    PongMissing,
    Reconnected,
    Reconnecting,
    Repeated,
    StreamItem,
    TokenRenewed,
    WireLine,
)
from tribe_ws.client.exchanges import Exchange
from tribe_ws.client.results import Conversation
from tribe_ws.clock import Clock, Timer
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.messages import SessionMoved
from tribe_ws_tui.state import Link, LinkKind, SessionState
from tribe_ws_tui.store import Backlog, Fetched, Item, LinkMoved, apply, forget_silent

TELL_EVERY = 0.5
"""Seconds between two messages about ordinary changes."""
_COUNTED_BY = 50
"""The backlog is counted in so many frames, and exactly where there is none."""
_MOST_OVERTAKING = 200
"""Frames sent on a new connection that wait for its ``connected`` to be taken."""
_STAYS_AWAY = frozenset({LinkKind.LOGIN_NEEDED, LinkKind.REFUSED, LinkKind.UNREACHABLE, LinkKind.OPEN})


class Observer:
    """What one session knows; ``post`` hears ``SessionMoved``.

    ``is_tapped`` says that a tap holds what goes over its connection: here only notes are held then, so that
    nothing is shown twice.
    """

    def __init__(
        self,
        label: str,
        username: str,
        inspection: Inspection,
        post: Callable[[Message], object],
        clock: Clock,
        *,
        is_same_clock: bool,
        is_tapped: bool = False,
    ) -> None:
        self.label = label
        self.state = SessionState(me=username)
        self.names = Names((), username)
        self.inspection = inspection
        # The store keeps the records; here they would lie a second time, and parsed.
        self.journal = Journal(self.names, is_same_clock=is_same_clock, kept=1)
        self.clock = clock
        self._is_tapped = is_tapped
        self._post = post
        self._timer: Timer | None = None
        self._loss: Lost | None = None
        self._has_said_no_echo = False
        self._overtaking: list[Record] | None = None

    def now(self) -> float:
        """Tell the seconds that the state counts by."""
        return self.clock.monotonic()

    def close(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────

    def take(self, item: StreamItem, *, waiting: int) -> None:
        """Take one thing that the stream gave; ``waiting`` is how many more have arrived."""
        if isinstance(item, Event):
            self._hold(self.journal.event(item), monotonic=item.received_at)
            self._hold_overtaking()
        else:
            if isinstance(item, Lost):
                self._hold_overtaking()
            self.apply(item)
            self._take_notice(item)
        if waiting % _COUNTED_BY == 0:
            self.apply(Backlog(waiting))

    def hear_wire(self, line: WireLine) -> None:
        """Take a frame that went out, or the step of an attempt to connect."""
        if line.direction == "out":
            self._sent(replace(self.journal.sent(line.text), at=self.clock.now()))
        elif line.direction == "note":
            self._hold_overtaking()
            self._overtaking = [] if line.text == HANDSHAKE_DONE else None
            kind = LinkKind.HANDSHAKEN if line.text == HANDSHAKE_DONE else LinkKind.DIALLING
            if self.state.link.kind not in _STAYS_AWAY:
                self.move(replace(self.state.link, kind=kind, since=self.now()))

    def hear_call(self, exchange: Exchange) -> None:
        """Take a REST call; what only asks goes into the recording and not into the stream."""
        record = self.journal.called(exchange)
        if exchange.method == "GET" or "/auth/" in exchange.path:
            if not self._is_tapped:
                self.inspection.write(replace(record, connection=self.label))
            return
        self._hold(record, monotonic=self.now() - exchange.seconds)
        if record.event == "POST message" and exchange.status < 400:
            self._say_no_echo()

    def fetched(self, conversations: tuple[Conversation, ...], my_id: str = "") -> None:
        """Take over the conversations as they were fetched."""
        self.names = self.journal.names = Names(conversations, self.state.me)
        self.apply(Fetched(conversations, self.names, my_id))

    # ── what is known ─────────────────────────────────────────────────────────────────────────────────────

    def apply(self, item: Item) -> None:
        """Work out the next state, and tell of it soon; at once where the link has changed."""
        before = self.state
        self.state = apply(before, item, self.now())
        if self.state is before:
            return
        if self.state.link is not before.link:
            self._tell()
        else:
            self._tell_soon()

    def move(self, link: Link) -> None:
        """Say where the link is now."""
        self.apply(LinkMoved(link))

    def note(self, event: str, words: str, *, tag: str = "") -> None:
        """Put a note into the stream."""
        self._hold(replace(self.journal.note(event, words, tag=tag), at=self.clock.now()))

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _hold(self, record: Record, *, monotonic: float | None = None) -> None:
        if self._is_tapped and record.direction != "note":
            self.apply(record)
            return
        self.apply(self.inspection.take(record, monotonic=monotonic, lane=self.label))

    def _sent(self, record: Record) -> None:
        """Hold what went out; on a new connection only after ``connected``, which is still to be taken."""
        if self._overtaking is not None and len(self._overtaking) < _MOST_OVERTAKING:
            self._overtaking.append(record)
        else:
            self._hold_overtaking()
            self._hold(record)

    def _hold_overtaking(self) -> None:
        waiting, self._overtaking = self._overtaking, None
        for record in waiting or ():
            self._hold(record)

    def _take_notice(self, notice: Notice) -> None:
        match notice:
            case Lost():
                self._loss = notice
            case Reconnecting():
                self._say_trying(notice)
            case Reconnected():
                self._say_back(notice)
            case TokenRenewed(expires_at=expires_at):
                until = f", good until {expires_at.astimezone():%H:%M}" if expires_at else ""
                self.note("token", f"the token was renewed{until}")
            case CatchUpFailed():
                self.note("gap", notices.not_fetched_words(notice, self.names), tag="gap")
            case Dropped():
                self.note("gap", notices.dropped_words(notice), tag="gap")
            case PongMissing():
                self.note("note", notices.pong_words(notice))
            case Repeated():
                self._hold(self.journal.event(notice.event))
                self.note("repeated", notices.repeated_words(notice), tag="error")

    def _say_trying(self, notice: Reconnecting) -> None:
        loss, self._loss = self._loss, None
        again = f"trying again in {latency_text(notice.delay)} (try {notice.attempt})"
        if loss is not None:
            self.note("closed", f"{notices.lost_words(loss)}; {again}", tag="error")
        else:
            why = f"{notice.error}; " if notice.error is not None else ""
            self.note("reconnect", why + again)

    def _say_back(self, notice: Reconnected) -> None:
        missed = notices.missed_words(notice)
        gap = f"gap {notice.gap:.1f} s: {missed}, typing and presence in it are lost"
        self.note("gap", gap, tag="gap")
        lost = "".join(f"; {self.names.label(one)} was not confirmed again" for one in notice.unconfirmed)
        back = f"back after {notice.gap:.1f} s, re-subscribed to {len(notice.conversations)}{lost}"
        self.note("reconnected", back)

    def _say_no_echo(self) -> None:
        if not self._has_said_no_echo:
            self._has_said_no_echo = True
            self.note("note", "you sent this: the endpoint never echoes it to you")

    def _tell_soon(self) -> None:
        if self._timer is None:
            self._timer = self.clock.call_later(TELL_EVERY, self._tell)

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.state = forget_silent(self.state, self.now())
        self._post(SessionMoved(self.label))
