"""The command palette: every action with its key and its sentence, filters, users, captures, themes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from tribe_ws_tui.keymap import Scope, keys_of, shown_key
from tribe_ws_tui.screens.open_capture import captures_in
from tribe_ws_tui.widgets.filter_bar import PRESETS

if TYPE_CHECKING:
    from tribe_ws_tui.screens.inspector import Inspector

RUNNABLE = (Scope.EVERYWHERE, Scope.STREAM, Scope.REPLAY)


class Entry(NamedTuple):
    """One command: its name, its sentence, and what it does."""

    name: str
    sentence: str
    run: IgnoreReturnCallbackType


class InspectorCommands(Provider):
    """What can be found by name in the inspector."""

    async def discover(self) -> Hits:
        """Give everything, for somebody who has written nothing yet."""
        for entry in self._entries():
            yield DiscoveryHit(entry.name, entry.run, help=entry.sentence)

    async def search(self, query: str) -> Hits:
        """Give what fits the written words, in its name or in its sentence."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score = max(matcher.match(entry.name), matcher.match(entry.sentence) * 0.8)
            if score > 0:
                yield Hit(
                    score, matcher.highlight(entry.name), entry.run, text=entry.name, help=entry.sentence
                )

    def _entries(self) -> Iterator[Entry]:
        from tribe_ws_tui.screens.inspector import Inspector

        screen = self.screen
        if not isinstance(screen, Inspector):
            return
        yield from _actions(screen)
        yield from _filters(screen)
        for user in screen.setup.known_users:
            yield Entry(
                f"Act as {user}", "Act as this user in the pane in use.", partial(screen.act_as, user)
            )
        for path in captures_in(Path.cwd()):
            yield Entry(f"Play {path.name}", "Play this capture.", partial(screen.play, path))
        for theme in sorted(self.app.available_themes):
            yield Entry(f"Theme {theme}", "Change the colours.", partial(setattr, self.app, "theme", theme))


def _actions(screen: Inspector) -> Iterator[Entry]:
    entries = keys_of(RUNNABLE, screen.keymap)
    for key in sorted(entries, key=lambda key: RUNNABLE.index(key.scope)):
        pressed = f"  ({shown_key(key.keys)})" if key.keys else ""
        yield Entry(f"{key.word}{pressed}", key.sentence, partial(screen.run_action, key.action))


def _filters(screen: Inspector) -> Iterator[Entry]:
    for name, text in PRESETS:
        yield Entry(f"Filter: {name}", text or "Show every event.", partial(screen.set_filter, text))
