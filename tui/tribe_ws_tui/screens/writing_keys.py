"""What is done with what is written: messages, commands, frames by hand."""

from __future__ import annotations

from collections.abc import Callable

from tribe_ws.errors import TribeError
from tribe_ws_tui.carrying_out import carry_out, follow
from tribe_ws_tui.messages import NotSent
from tribe_ws_tui.screens.file_keys import FileKeys
from tribe_ws_tui.screens.raw_frame import TEMPLATE, FrameChoice, RawFrameScreen
from tribe_ws_tui.typed import read_typed
from tribe_ws_tui.widgets.composer import Composer


class WritingKeys(FileKeys):
    """The actions of the composer and of the frame editor."""

    def do(self, action: str) -> None:
        """Do what a key does, by the name of its action."""
        self.call_later(self.run_action, action)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something after some seconds."""
        self.set_timer(seconds, what)

    def action_write(self) -> None:
        """Go to the composer."""
        if self.pane.composer.read_only:
            self.notify(str(self.pane.composer.placeholder) or "nothing can be sent now", markup=False)
        else:
            # At once, and not with the next message: the keys that follow are already text.
            self.set_focus(self.pane.composer)

    def on_composer_sent(self, event: Composer.Sent) -> None:
        """Do what was written; what cannot be done goes back into the composer."""
        event.stop()
        pane = next(pane for pane in self.panes if pane.composer is event.composer)
        try:
            typed = read_typed(event.text)
            if typed is not None:
                carry_out(typed, pane.session, pane.conversation_id, self)
        except (TribeError, OSError) as error:
            hint = getattr(error, "hint", "")
            self.notify(f"{error}{'  ' if hint else ''}{hint}", severity="error", markup=False)
            pane.composer.put(event.text)
        self.refresh_all()

    def on_not_sent(self, event: NotSent) -> None:
        """Put a message that was not stored back where it can be sent again."""
        event.stop()
        self.notify(event.words, title="not sent", severity="error", markup=False)
        pane = self.pane_of(event.label)
        if pane is not None and pane.conversation_id == event.conversation_id and not pane.composer.text:
            pane.composer.put(event.text)

    def on_composer_left(self, event: Composer.Left) -> None:
        """Go back to the stream."""
        event.stop()
        self.log_view.focus()

    def on_composer_pressed(self, event: Composer.Pressed) -> None:
        """Tell the others that one types, or no longer."""
        event.stop()
        pane = next(pane for pane in self.panes if pane.composer is event.composer)
        is_message = not event.composer.text.startswith(("/", "{"))
        if event.is_writing and is_message and pane.conversation_id:
            pane.session.key_pressed(pane.conversation_id)
        elif not event.is_writing:
            pane.session.stop_typing()

    def action_typing(self) -> None:
        """Send real typing events while one writes, or none."""
        is_on = not self.session.sends_typing
        self.session.send_typing_events(is_on)
        self.notify(f"Send typing events: {'on' if is_on else 'off'}", markup=False)

    def action_raw_frame(self) -> None:
        """Write a frame by hand."""
        self._edit_frame(TEMPLATE)

    def action_again(self) -> None:
        """Open the selected frame in the editor, to send it again."""
        record = self.log_view.record
        if record is not None:
            self._edit_frame(record.text if record.direction in ("in", "out") else TEMPLATE)

    def _edit_frame(self, text: str) -> None:
        if self.session.is_read_only:
            self.notify("replay is read-only; Ctrl+R comes back to the live capture", markup=False)
            return
        self.app.push_screen(RawFrameScreen(text), self._send_frame)

    def _send_frame(self, choice: FrameChoice | None) -> None:
        if choice is None:
            return
        match choice.kind:
            case "text":
                self.session.send_raw(choice.text)
                follow(choice.text, self.session, self)
            case "binary":
                self.session.send_raw(choice.payload)
            case "ping":
                self.session.ping()
            case "close":
                self.session.close_with(choice.code, choice.text)
