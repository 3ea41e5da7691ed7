"""The first row: where each session stands, how fast, what is held; and the chips of a narrow screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget

from tribe_ws_tui.state import LinkKind, SessionState
from tribe_ws_tui.wording import (
    PRESENCE,
    Piece,
    Tone,
    count,
    fit,
    latency_words,
    link_words,
    rate_words,
    rtt_words,
    size_words,
    sparkline,
)

WIDE = 160
MEDIUM = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """One session in the status bar: the letter of its pane, and what it knows."""

    letter: str
    state: SessionState


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the status bar tells, as it is at ``now`` of the sessions' clock."""

    sessions: tuple[Standing, ...]
    active: int
    now: float
    place: str
    address: str
    server: str
    held: int = 0
    violations: int = 0
    view: str = "FOLLOW"
    recording: str = ""
    recorded: int = 0
    fps: int = 10
    replay: str = ""

    @property
    def current(self) -> SessionState:
        """The state of the session whose pane is in use."""
        return self.sessions[self.active].state


class StatusBar(Widget):
    """One row; what matters least is left out where there is no room."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._status: Status | None = None

    def show(self, status: Status) -> None:
        """Show other things; nothing is drawn anew where nothing changed."""
        self._status = status
        self.refresh()

    def render(self) -> Content:
        """Draw the row."""
        status = self._status
        if status is None:
            return Content(" tribe-ws")
        width = self.size.width
        pieces = [Piece("tribe-ws", "strong", 70)]
        if width >= WIDE and len(status.sessions) > 1:
            pieces += [Piece(status.server, "", 60), *_standings(status)]
        else:
            pieces += _single(status, width)
        pieces += _figures(status, width)
        return Content(" ") + fit(pieces, width - 2)


def _single(status: Status, width: int) -> list[Piece]:
    state = status.current
    words, tone = link_words(state, status.now, status.place, status.fps)
    link = Piece(status.replay, "accent") if status.replay else Piece(words, tone)
    tap = state.link.kind is LinkKind.REPLAY
    pieces = [link, *_others(status)]
    if width >= MEDIUM and not status.replay:
        pieces.append(Piece(f"{state.me}@{status.server}", "strong", 10))
        pieces.append(Piece(f"{status.address}?token=***", "dim", 80))
    elif not status.replay:
        pieces += [Piece(state.me, "strong", 10), Piece(status.server, "", 50)]
    if not tap and not status.replay:
        pieces.append(Piece(rtt_words(state), "", 30))
    pieces.append(Piece(rate_words(state, status.now), "", 20))
    return pieces


def _others(status: Status) -> list[Piece]:
    """Tell what is wrong with the sessions whose panes are not in use."""
    found = []
    for place, one in enumerate(status.sessions):
        if place != status.active and not one.state.link.is_open:
            words, tone = link_words(one.state, status.now, status.place)
            found.append(Piece(f"{one.letter} {words}", tone, 40))
    return found


def _standings(status: Status) -> list[Piece]:
    pieces = []
    for place, one in enumerate(status.sessions):
        words, tone = link_words(one.state, status.now, status.place, status.fps)
        figures = f"{rtt_words(one.state)} {rate_words(one.state, status.now)}"
        name_tone: Tone = "strong" if place == status.active else ""
        pieces += [
            Piece(f"{one.letter} {one.state.me}", name_tone),
            Piece(words, tone),
            Piece(figures, "", 30),
        ]
    return pieces


def _bars(width: int) -> int:
    return 20 if width >= WIDE else 5


def _figures(status: Status, width: int) -> list[Piece]:
    state = status.current
    short = MEDIUM <= width < WIDE
    violations = f"✗ {status.violations:,}" if short else f"✗ {count(status.violations, 'violation')}"
    recorded = f" {size_words(status.recorded)}" if status.recorded else ""
    return [
        Piece("" if width < MEDIUM else sparkline(state.rate.at(status.now)[-_bars(width) :]), "accent", 65),
        Piece(f"held {status.held:,}", "", 25),
        Piece(violations if status.violations else "", "bad", 5),
        Piece(status.view, "strong" if status.view == "FOLLOW" else "warn", 3),
        Piece(f"REC {status.recording}{recorded}" if status.recording else "", "bad", 4),
        Piece(latency_words(state) if width >= WIDE else "", "dim", 75),
    ]


class Chips(Widget):
    """What the side pane says, on one row, for a screen too narrow for the pane."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._pieces: tuple[list[Piece], list[Piece]] = ([], [])

    def show(self, state: SessionState, conversation_id: str, now: float) -> None:
        """Show the conversations of a session, and the people of the chosen one."""
        self._pieces = (
            _conversation_chips(state, conversation_id),
            _people_chips(state, conversation_id, now),
        )
        self.refresh()

    def render(self) -> Content:
        """Draw the row: conversations, a bar, people."""
        conversations, people = self._pieces
        width = self.size.width - 2
        if not people:
            return Content(" ") + fit(conversations, width)
        half = max(10, width // 2)
        left = fit(conversations, half)
        right = fit(people, width - left.cell_length - 3)
        return Content(" ") + left + Content.styled(" | ", "$text-muted") + right


def _conversation_chips(state: SessionState, chosen: str) -> list[Piece]:
    pieces = []
    for place, one in enumerate(state.in_order):
        unread = f" {one.unread}" if one.unread else ""
        tone: Tone = "accent" if one.id == chosen else "" if one.is_subscribed else "dim"
        mark = "▸" if one.id == chosen else ""
        pieces.append(Piece(f"{mark}{one.label}{unread}", tone, 0 if one.id == chosen else place + 1))
    return pieces or [Piece("no conversation yet", "dim")]


def _people_chips(state: SessionState, chosen: str, now: float) -> list[Piece]:
    pieces = []
    for place, one in enumerate(state.people(chosen, now)):
        typing = " typing" if one.typing_seconds is not None else ""
        tone: Tone = "accent" if typing else ""
        pieces.append(
            Piece(f"{PRESENCE[one.presence]} {one.username}{typing}", tone, 0 if typing else place + 1)
        )
    return pieces
