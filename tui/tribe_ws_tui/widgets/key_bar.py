"""The last row: which keys work here. ``?`` is always among them, and each can be clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from tribe_ws_tui.keymap import KEYS, Key, shown_key, shown_keys

_BY_ID = {key.id: key for key in KEYS}


class Shown(NamedTuple):
    """A key in the bar, and how soon it goes where there is no room: the highest rank goes first."""

    id: str
    rank: int


STREAM_KEYS = (
    Shown("app.help", 0),
    Shown("stream.filter", 1),
    Shown("stream.freeze", 2),
    Shown("stream.open", 3),
    Shown("app.write", 4),
    Shown("app.users", 6),
    Shown("app.two", 9),
    Shown("app.other", 10),
    Shown("app.faults", 11),
    Shown("app.export", 7),
    Shown("app.record", 12),
    Shown("app.palette", 13),
    Shown("app.quit", 5),
)
COMPOSER_KEYS = (
    Shown("app.help", 0),
    Shown("composer.leave", 0),
    Shown("composer.send", 1),
    Shown("composer.line", 2),
    Shown("composer.complete", 3),
    Shown("composer.editor", 4),
    Shown("app.palette", 5),
)
FILTER_KEYS = (
    Shown("app.help", 0),
    Shown("filter.leave", 0),
    Shown("filter.apply", 1),
    Shown("filter.help", 2),
    Shown("filter.preset", 3),
)
DETAIL_KEYS = (
    Shown("app.help", 0),
    Shown("stream.copy", 1),
    Shown("stream.copy-command", 2),
    Shown("stream.only", 3),
    Shown("stream.again", 4),
    Shown("stream.mark", 5),
    Shown("detail.diff", 6),
    Shown("app.quit", 7),
)


class KeyBar(Widget):
    """One row of keys with their words, as many as fit."""

    class Pressed(Message):
        """An entry was clicked."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._entries: Sequence[Shown] = STREAM_KEYS
        self._words: Mapping[str, str] = {}
        self._hidden: frozenset[str] = frozenset()
        self._places: list[tuple[int, int, Key]] = []

    def show(
        self, entries: Sequence[Shown], words: Mapping[str, str], hidden: frozenset[str] = frozenset()
    ) -> None:
        """Show other keys, some under other words than the usual ones."""
        if (entries, words, hidden) != (self._entries, self._words, self._hidden):
            self._entries, self._words, self._hidden = entries, words, hidden
            self.refresh()

    def render(self) -> Content:
        """Draw as many entries as fit."""
        keymap: Mapping[str, str] = getattr(self.screen, "keymap", {})
        chosen = [entry for entry in self._entries if entry.id not in self._hidden]
        rows = {entry.id: self._texts(entry.id, keymap) for entry in chosen}
        while chosen and sum(_width(rows[entry.id]) for entry in chosen) - 2 > self.size.width - 2:
            chosen.remove(max(chosen, key=lambda entry: entry.rank))
        parts: list[Content] = []
        self._places = []
        column = 1
        for entry in chosen:
            shown, word = rows[entry.id]
            self._places.append((column, column + _width((shown, word)), _BY_ID[entry.id]))
            column += _width((shown, word))
            parts += [Content.styled(shown, "$footer-key-foreground bold"), Content(f" {word}  ")]
        return Content(" ") + Content("").join(parts)

    def _texts(self, key_id: str, keymap: Mapping[str, str]) -> tuple[str, str]:
        key = _BY_ID[key_id]
        keys = keymap.get(key_id, key.keys)
        # Where text is written, a printable key writes itself, and the next one of the entry helps.
        shown = shown_keys(keys) if self._writes and key_id == "app.help" else shown_key(keys)
        return shown, self._words.get(key_id, key.word)

    @property
    def _writes(self) -> bool:
        return self._entries in (COMPOSER_KEYS, FILTER_KEYS)

    def on_click(self, event: Click) -> None:
        """Do what the clicked entry says."""
        for start, end, key in self._places:
            if start <= event.x < end:
                self.post_message(self.Pressed(key))


def _width(texts: tuple[str, str]) -> int:
    return cell_len(texts[0]) + 1 + cell_len(texts[1]) + 2
