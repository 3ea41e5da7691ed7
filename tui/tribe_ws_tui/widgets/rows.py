"""Rows of one line: who types, where a capture is, which of two users is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from tribe_ws_tui.state import Typing
from tribe_ws_tui.wording import Tone, clock_words, toned, typing_words


class TypingRow(Widget):
    """Who types in the current conversation, and for how many seconds."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._words = ""

    def show(self, typists: Iterable[Typing], now: float) -> None:
        """Show who types now."""
        words = typing_words(typists, now)
        if words != self._words:
            self._words = words
            self.refresh()

    def render(self) -> Content:
        """Draw the row."""
        tone: Tone = "accent" if "is typing" in self._words else "dim"
        return Content(" ") + toned(self._words, tone).truncate(max(0, self.size.width - 2), ellipsis=True)


class Playing(NamedTuple):
    """Where a capture is: seconds, the speed, whether it runs, and how many events were played."""

    position: float
    duration: float
    speed: float
    is_playing: bool
    played: int
    total: int


class ReplayBar(Widget):
    """Where the capture is, as a bar and in words, with the keys that move it."""

    class Sought(Message):
        """Somebody clicked on a place of the bar; ``share`` is between 0 and 1."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._playing: Playing | None = None
        self._bar = (0, 0)

    def show(self, playing: Playing | None) -> None:
        """Show another place; ``None`` hides the row."""
        self.display = playing is not None
        if playing != self._playing:
            self._playing = playing
            self.refresh()

    def render(self) -> Content:
        """Draw the row."""
        playing = self._playing
        if playing is None:
            return Content("")
        head = f" {replay_words(playing)} "
        tail = f" {playing.played:,} of {playing.total:,} events  Space, . < > "
        room = max(4, self.size.width - cell_len(head) - cell_len(tail))
        share = playing.position / playing.duration if playing.duration else 1.0
        done = round(min(1.0, share) * room)
        self._bar = (cell_len(head), room)
        return Content.assemble(
            (head, "bold"), ("━" * done, "$text-accent"), ("─" * (room - done), "$text-muted"), tail
        )

    def on_click(self, event: Click) -> None:
        """Go to the clicked place of the bar."""
        start, room = self._bar
        if start <= event.x < start + room:
            self.post_message(self.Sought((event.x - start) / max(1, room - 1)))


def replay_words(playing: Playing) -> str:
    """Say where a capture is: ``▷ replay x4 01:20/03:10``."""
    state = (
        "replay" if playing.is_playing else "at its end" if playing.position >= playing.duration else "paused"
    )
    speed = "at once" if playing.speed == 0 else f"x{playing.speed:g}"
    return f"▷ {state} {speed} {clock_words(playing.position)}/{clock_words(playing.duration)}"


class UserTab(NamedTuple):
    """One of two users: the letter of the pane, the name, and what came in unseen."""

    letter: str
    name: str
    unseen: int


class UserTabs(Widget):
    """Which of two users is shown, where both do not fit side by side."""

    class Chosen(Message):
        """Somebody clicked a tab."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._tabs: tuple[UserTab, ...] = ()
        self._active = 0
        self._places: list[tuple[int, int]] = []

    def show(self, tabs: Sequence[UserTab], active: int) -> None:
        """Show tabs, one of them chosen."""
        if (tuple(tabs), active) != (self._tabs, self._active):
            self._tabs, self._active = tuple(tabs), active
            self.refresh()

    def render(self) -> Content:
        """Draw the row: the chosen tab in brackets, so that it is seen without colour."""
        parts: list[Content] = []
        self._places = []
        column = 1
        for place, tab in enumerate(self._tabs):
            is_active = place == self._active
            unseen = f" {tab.unseen}" if tab.unseen and not is_active else ""
            words = f"{tab.letter} {tab.name}{unseen}"
            shown = f"[{words}]" if is_active else f" {words} "
            self._places.append((column, column + cell_len(shown)))
            column += cell_len(shown) + 1
            parts.append(toned(shown, "strong" if is_active else "dim"))
        return Content(" ") + Content("|").join(parts) + Content.styled("  F6 changes", "$text-muted")

    def on_click(self, event: Click) -> None:
        """Change to the clicked tab."""
        for place, (start, end) in enumerate(self._places):
            if start <= event.x < end:
                self.post_message(self.Chosen(place))
