"""What the keys about files do: export, record, open a capture, play it; and how one leaves."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from tribe_ws.capture.record import Record
from tribe_ws.errors import TribeError
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.replaying import Replay, open_capture
from tribe_ws_tui.screens.ask import Ask
from tribe_ws_tui.screens.export import ExportChoice, ExportScope, ExportScreen
from tribe_ws_tui.screens.open_capture import OpenCapture, captures_in
from tribe_ws_tui.screens.session_keys import SessionKeys
from tribe_ws_tui.widgets.composer import Composer, editable
from tribe_ws_tui.widgets.rows import ReplayBar
from tribe_ws_tui.wording import count, size_words


class FileKeys(SessionKeys):
    """The actions of files and captures."""

    # ── export and record ─────────────────────────────────────────────────────────────────────────────────

    def action_export(self) -> None:
        """Ask what to write, and write it."""
        counts: dict[ExportScope, int] = {
            "all": len(self.captured.store),
            "shown": self.log_view.view.shown,
            "marked": len(self.captured.store.marked),
        }
        self.app.push_screen(ExportScreen(counts, f"tribe-{_stamp()}"), self._export)

    def _export(self, choice: ExportChoice | None) -> None:
        if choice is not None:
            self._write(choice)

    def save(self, path: Path) -> None:
        """Write all that is held to a file, as NDJSON."""
        self._write(ExportChoice("all", "ndjson", path))

    def _write(self, choice: ExportChoice) -> None:
        from tribe_ws_tui.exporting import export

        try:
            written = export(
                self._records(choice.scope), choice.format, choice.path, address=self.setup.address
            )
        except (TribeError, OSError) as error:
            self.notify(str(error), title="not written", severity="error", markup=False)
            return
        size = size_words(choice.path.stat().st_size)
        self.notify(f"{count(written, 'event')} in {choice.path}, {size}", title="exported", markup=False)

    def _records(self, scope: ExportScope) -> list[Record]:
        store = self.captured.store
        numbers: Iterable[int] = store.numbers
        if scope != "all":
            numbers = self.log_view.view.numbers() if scope == "shown" else store.marked
        return list(store.records(iter(numbers)))

    def action_record(self) -> None:
        """Write everything to a file from now on, or stop that."""
        if self.inspection.is_recording:
            self.record(None)
            return
        foot = "Enter records from now on   Esc leaves   Tokens and e-mails become ***"
        name = f"capture-{_stamp()}.ndjson"
        self.app.push_screen(Ask("Record to", name, "name of a file", foot), self._record)

    def _record(self, name: str | None) -> None:
        if name:
            self.record(Path(name).expanduser())

    def record(self, path: Path | None) -> None:
        """Write everything to a file from now on; ``None`` stops that."""
        if path is None:
            writer = self.inspection.stop_recording()
            if writer is not None:
                words = f"{count(writer.count, 'event')} in {writer.path}"
                self.notify(words, title="recording stopped", markup=False)
        else:
            try:
                self.inspection.start_recording(path)
            except (TribeError, OSError) as error:
                self.notify(str(error), title="not recorded", severity="error", markup=False)
                return
            self.notify(f"everything goes to {path} too; R stops", title="recording", markup=False)
        self.refresh_all()

    # ── replay ────────────────────────────────────────────────────────────────────────────────────────────

    def action_capture(self) -> None:
        """Ask which capture to play."""

        def take(path: Path | None) -> None:
            if path is not None:
                self.play(path)

        self.app.push_screen(OpenCapture(captures_in(Path.cwd())), take)

    def play(self, path: Path) -> None:
        """Play a capture in place of the live one, which is held and goes on meanwhile."""
        try:
            capture = open_capture(path)
        except (TribeError, OSError) as error:
            self.notify(str(error), title="not opened", severity="error", markup=False)
            return
        if self.replay is not None:
            self.run_worker(self.replay.stop())
        shown = Inspection(self.inspection.store.keep)
        self.replay = Replay(capture, shown, self.post_message, now=time.monotonic)
        self._show_other_store()
        self.replay.play()
        self.refresh_all()

    def end_replay(self) -> None:
        """Come back from a capture to the live one, which went on meanwhile."""
        if self.replay is not None:
            self.run_worker(self.replay.stop())
            self.replay = None
            self._show_other_store()
            self.refresh_all()

    def _show_other_store(self) -> None:
        for pane in self.panes:
            pane.log_view.select(None)
        self.link_views()
        for pane in self.panes:
            pane.log_view.follow()
        self.set_focus(self.log_view)
        self.refresh_detail()

    def action_step(self, events: int) -> None:
        """Go on by an event of the capture, or back."""
        if self.replay is not None:
            self.replay.step(events)
            self.refresh_all()

    def action_speed(self, step: int) -> None:
        """Play faster, or slower; after the fastest comes everything at once."""
        if self.replay is not None:
            self.replay.faster() if step > 0 else self.replay.slower()
            self.refresh_all()

    def on_replay_bar_sought(self, event: ReplayBar.Sought) -> None:
        """Go to the clicked place of the capture."""
        event.stop()
        if self.replay is not None:
            self.replay.seek(event.share * self.replay.duration)
            self.refresh_all()

    # ── a program of one's own ────────────────────────────────────────────────────────────────────────────

    def on_composer_editor_wanted(self, event: Composer.EditorWanted) -> None:
        """Write in the program that VISUAL or EDITOR names."""
        event.stop()
        editor = self.setup.editor
        if not editor:
            self.notify("set EDITOR to the program to write in", markup=False)
            return
        written = self._edit(editor, event.composer.text)
        if written is not None:
            event.composer.put(editable(written))
            event.composer.focus()

    def _edit(self, editor: str, text: str) -> str | None:
        handle, name = tempfile.mkstemp(prefix="tribe-ws-", suffix=".md")
        path = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            with self.app.suspend():
                # The user's own program, as EDITOR names it.
                subprocess.run([*shlex.split(editor), name], check=True)  # noqa: S603
            return path.read_text("utf-8")
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            self.notify(f"{editor}: {error}", severity="error", markup=False)
            return None
        finally:
            path.unlink(missing_ok=True)

    # ── leaving ───────────────────────────────────────────────────────────────────────────────────────────

    def action_leave(self) -> None:
        """Leave; while something is recorded, ask first."""
        if not self.inspection.is_recording:
            self.app.exit()
            return
        foot = "Enter stops the recording and leaves   Esc stays"
        self.app.push_screen(Ask("Still recording", "", "leave?", foot), self._leave)

    def _leave(self, answer: str | None) -> None:
        if answer is not None:
            self.app.exit()


def _stamp() -> str:
    return f"{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - the name of a file, for people here
