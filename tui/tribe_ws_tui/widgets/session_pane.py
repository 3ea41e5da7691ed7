"""One user's column: the filter, the stream, why it is silent, who types, and the composer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tribe_ws.capture.record import CONTROL_EVENTS
from tribe_ws_tui.filter_view import FilterView
from tribe_ws_tui.sessions import InspectorSession
from tribe_ws_tui.state import ConversationState, LinkKind
from tribe_ws_tui.widgets.composer import Completions, Composer
from tribe_ws_tui.widgets.event_log import EventLog
from tribe_ws_tui.widgets.filter_bar import FilterBar
from tribe_ws_tui.widgets.rows import TypingRow
from tribe_ws_tui.wording import Stream, advice, toned

_OFF = {
    LinkKind.REFUSED: "off: the server refused the token. L logs in again",
    LinkKind.UNREACHABLE: "off: nothing listens there. S starts the local server",
    LinkKind.LOGIN_NEEDED: "off: log in again with L",
    LinkKind.REPLAY: "replay is read-only",
}


class EventStream(EventLog, inherit_bindings=False):
    """The event log without keys of its own: all of them belong to the screen, and to the settings."""


class SessionPane(Vertical):
    """The column of one session; ``view`` may be shared with the other user's column."""

    def __init__(
        self,
        session: InspectorSession,
        view: FilterView,
        names: Callable[[str], Iterable[str]],
    ) -> None:
        super().__init__(id=f"pane-{session.label}", classes="session-pane")
        self.session = session
        self.conversation_id = ""
        self.other = ""
        self._has_heard = False
        self._looked_at = 0
        self._names = names
        self._completions = Completions()
        self.filter_bar = FilterBar(names)
        self.log_view: EventLog = EventStream(view, id=f"log-{session.label}")
        self.typing_row = TypingRow()
        self.composer = Composer(self._known, self._completions)

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield self.filter_bar
        yield self.log_view
        yield Static("", classes="advice", markup=False)
        yield self.typing_row
        yield self._completions
        yield self.composer

    @property
    def conversation(self) -> ConversationState | None:
        """The conversation that text goes to."""
        return self.session.state.conversations.get(self.conversation_id)

    @property
    def label(self) -> str:
        """What the current conversation is called; empty without one."""
        return self.conversation.label if self.conversation else ""

    def choose(self, conversation_id: str) -> None:
        """Write to another conversation from now on."""
        self.conversation_id = conversation_id
        self.refresh_state()

    def refresh_state(self, prefix: str = "", *, is_read_only: bool = False) -> None:
        """Draw what the session knows now."""
        state, now = self.session.state, self.session.now()
        view = self.log_view.view
        self.filter_bar.show(view.shown, view.held, prefix)
        self.typing_row.show(state.typists(self.conversation_id), now)
        suggested = self.label or "#general"
        # A capture that is played says nothing of whom the session has heard.
        has_heard = is_read_only or self._has_heard_anybody()
        stream = Stream(view.shown, view.held, has_heard)
        words = advice(state, now, suggested, stream, self.other)
        note = self.query_one(".advice", Static)
        note.display = bool(words)
        note.update(toned(words, "warn"))
        title = f"as {self.session.username} → {self.label}" if self.label else f"as {self.session.username}"
        is_read_only = is_read_only or self.session.is_read_only
        off = _OFF[LinkKind.REPLAY] if is_read_only else _OFF.get(state.link.kind, "")
        if state.link.kind is LinkKind.REPLAY and state.link.words:
            off = "a tap only watches; u acts as somebody"
        self.composer.show(self.conversation_id, title, off)

    def choose_by_itself(self) -> None:
        """Begin with the conversation that was subscribed first, or else with the one that is newest."""
        state = self.session.state
        if self.conversation_id in state.conversations:
            return
        first = next(iter(state.subscribed), "")
        groups = [one.id for one in state.in_order if one.label == "#general"]
        newest = [one.id for one in state.in_order]
        self.conversation_id = first or next(iter([*groups, *newest]), "")

    def _has_heard_anybody(self) -> bool:
        """Tell whether something has come in that is no answer; each event is looked at once."""
        store = self.log_view.view.store
        while not self._has_heard and self._looked_at < store.total:
            self._looked_at = max(self._looked_at + 1, store.first)
            kind = store.kind(self._looked_at)
            # Under a tap its connection has a lane of the server's own.
            is_ours = kind.as_user == self.session.username
            self._has_heard = is_ours and kind.direction == "in" and kind.event not in CONTROL_EVENTS
        return self._has_heard

    def _known(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        labels = tuple(one.label for one in self.session.state.in_order if one.label.startswith("#"))
        return labels, tuple(self._names("from"))
