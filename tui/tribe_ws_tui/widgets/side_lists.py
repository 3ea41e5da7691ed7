"""The lists of the side pane: conversations, people, faults. Rows are cut, never wrapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tribe_ws.capture.visible import visible_line
from tribe_ws_tui.state import ConversationState, Person
from tribe_ws_tui.wording import PRESENCE, Tone, conversation_note, person_note, toned

NAME_WIDTH = 8


class SideList(OptionList):
    """A short list; ``j`` and ``k`` move in it as the arrows do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id, markup=False)
        self.border_title = title
        self._rows: tuple[tuple[str, Content], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The ids of the rows, from above."""
        return tuple(key for key, _ in self._rows)

    @property
    def chosen(self) -> str:
        """The id of the highlighted row; empty without one."""
        return self._rows[self.highlighted][0] if self.highlighted is not None and self._rows else ""

    def show_rows(self, rows: Sequence[tuple[str, Content]]) -> None:
        """Show other rows; the highlight stays on the same one."""
        fresh = tuple(rows)
        if fresh == self._rows:
            return
        if tuple(key for key, _ in fresh) == self.keys:
            for place, ((_, old), (_, new)) in enumerate(zip(self._rows, fresh, strict=True)):
                if old != new:
                    self.replace_option_prompt_at_index(place, new)
            self._rows = fresh
            return
        before = self.chosen
        self._rows = fresh
        self.set_options([Option(content) for _, content in fresh])
        if fresh:
            self.highlighted = self.keys.index(before) if before in self.keys else 0

    def _row(self, mark: str, name: str, note: str, tone: Tone = "", note_tone: Tone = "dim") -> Content:
        width = max(NAME_WIDTH + 4, (self.size.width or 22) - 1)
        room = max(NAME_WIDTH, width - cell_len(note) - 4) if note else width - 3
        left = set_cell_size(visible_line(name), room)
        return Content.assemble(f"{mark} ", toned(left, tone), " ", toned(note, note_tone)).truncate(width)


class Conversations(SideList):
    """The conversations of a session, newest activity first, with what is new in each."""

    class Chosen(Message):
        """Somebody chose a conversation."""

        def __init__(self, conversation_id: str) -> None:
            super().__init__()
            self.conversation_id = conversation_id

    def __init__(self) -> None:
        super().__init__("1 Conversations", id="conversations")

    def show(self, conversations: Sequence[ConversationState], current: str) -> None:
        """Show conversations; ``current`` is the one that text goes to."""
        self.show_rows([(one.id, self._conversation(one, one.id == current)) for one in conversations])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Make the selected conversation the current one."""
        event.stop()
        self.post_message(self.Chosen(self.keys[event.option_index]))

    def _conversation(self, one: ConversationState, is_current: bool) -> Content:
        tone: Tone = "accent" if is_current else "" if one.is_subscribed else "dim"
        note = conversation_note(one)
        note_tone: Tone = "strong" if one.is_subscribed else "dim"
        return self._row("▸" if is_current else " ", one.label, note, tone, note_tone)


class People(SideList):
    """Who is in the current conversation, and what was seen of them."""

    class Chosen(Message):
        """Somebody chose a person."""

        def __init__(self, username: str) -> None:
            super().__init__()
            self.username = username

    def __init__(self) -> None:
        super().__init__("2 People", id="people")

    def show(self, people: Sequence[Person], label: str, letters: Mapping[str, str]) -> None:
        """Show people; ``letters`` tells which of them are sessions of ours."""
        self.border_title = f"2 People in {visible_line(label)}" if label else "2 People"
        rows = [(one.username, self._person(one, letters.get(one.username, ""))) for one in people]
        self.show_rows(rows)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Offer to act as the selected person."""
        event.stop()
        self.post_message(self.Chosen(self.keys[event.option_index]))

    def _person(self, one: Person, letter: str) -> Content:
        is_typing = one.typing_seconds is not None
        return self._row(
            PRESENCE[one.presence],
            one.username,
            person_note(one, letter),
            "strong" if one.is_me else "",
            "accent" if is_typing else "dim",
        )


class FaultRow(NamedTuple):
    """A fault that can be put in force: its rule, what it says, and its number where it is in force."""

    rule: str
    words: str
    fault_id: int | None = None
    hits: int = 0


class Faults(SideList):
    """The faults of a local server: those in force, and some that can be put in force."""

    class Toggled(Message):
        """Somebody wants a fault in force, or no longer."""

        def __init__(self, row: FaultRow) -> None:
            super().__init__()
            self.row = row

    def __init__(
        self,
        title: str = "4 Faults",
        *,
        id: str = "faults",  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(title, id=id)
        self.set_classes(classes or "")
        self._faults: tuple[FaultRow, ...] = ()

    def show(self, faults: Sequence[FaultRow]) -> None:
        """Show faults; switched on or off, one keeps its row."""
        self._faults = tuple(faults)
        keyed: dict[str, Content] = {}
        for one in faults:
            # By its rule a row stays the same, in force or not; of twins the second has its number too.
            keyed[one.rule if one.rule not in keyed else f"{one.fault_id}:{one.rule}"] = self._fault(one)
        self.show_rows(list(keyed.items()))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Ask for the opposite of what is."""
        event.stop()
        self.post_message(self.Toggled(self._faults[event.option_index]))

    def _fault(self, one: FaultRow) -> Content:
        is_on = one.fault_id is not None
        hits = f"{one.hits} hits" if one.hits else ""
        return self._row("[x]" if is_on else "[ ]", one.words, hits, "warn" if is_on else "")
