"""The main screen's parts and where they are; what its keys do is in the modules that build on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget

from tribe_ws_tui.deliveries import deliveries_of
from tribe_ws_tui.event_store import Kind
from tribe_ws_tui.filter_view import FilterView
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.replaying import Replay
from tribe_ws_tui.sessions import InspectorSession
from tribe_ws_tui.setup import InspectorSetup
from tribe_ws_tui.tap import Tap
from tribe_ws_tui.widgets.composer import Composer
from tribe_ws_tui.widgets.detail import Detail, Opened
from tribe_ws_tui.widgets.event_log import EventLog
from tribe_ws_tui.widgets.filter_bar import FilterInput
from tribe_ws_tui.widgets.key_bar import (
    COMPOSER_KEYS,
    DETAIL_KEYS,
    FILTER_KEYS,
    STREAM_KEYS,
    KeyBar,
    Shown,
)
from tribe_ws_tui.widgets.rows import Playing, ReplayBar, UserTab, UserTabs, replay_words
from tribe_ws_tui.widgets.session_pane import SessionPane
from tribe_ws_tui.widgets.side_lists import Conversations, Faults, People
from tribe_ws_tui.widgets.status_bar import WIDE, Chips, Standing, Status, StatusBar

OpenSession = Callable[[str, str], InspectorSession]
"""Makes the session of a letter and a user; it is not started yet."""

LETTERS = "AB"
_FAR_BACK = 20_000
"""How many events are looked at for the one of the same kind before."""


class Bench(Screen[None]):
    """Side lists, one or two users' columns, and the opened event."""

    AUTO_FOCUS = None

    def __init__(self, setup: InspectorSetup, inspection: Inspection, open_session: OpenSession) -> None:
        super().__init__()
        self.setup = setup
        self.inspection = inspection
        self.open_session = open_session
        self.control = setup.control
        self.panes: list[SessionPane] = []
        self.active = 0
        self.replay: Replay | None = None
        self.is_linked = True
        self.tap: Tap | None = None
        self.labels: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Put everything in its place; the style sheet says what is seen at which width."""
        yield StatusBar(id="status")
        yield Chips(id="chips")
        yield ReplayBar(id="replay")
        yield UserTabs(id="tabs")
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield Conversations()
                yield People()
                yield Faults(classes="-absent")
            yield Horizontal(id="panes")
            yield Detail(id="detail")
        yield KeyBar(id="keys")

    @property
    def keymap(self) -> Mapping[str, str]:
        """The keys that the settings change, by id."""
        return self.setup.keymap

    @property
    def captured(self) -> Inspection:
        """What is looked at: the live capture, or the one that is played."""
        return self.inspection if self.replay is None else self.replay.inspection

    @property
    def has_live(self) -> bool:
        """Whether there is a live capture to come back to."""
        return self.tap is not None or any(not session.is_read_only for session in self.sessions)

    @property
    def pane(self) -> SessionPane:
        """The column in use."""
        return self.panes[self.active]

    @property
    def session(self) -> InspectorSession:
        """The session of the column in use."""
        return self.pane.session

    @property
    def log_view(self) -> EventLog:
        """The stream in use."""
        return self.pane.log_view

    @property
    def sessions(self) -> tuple[InspectorSession, ...]:
        """All sessions, A first."""
        return tuple(pane.session for pane in self.panes)

    @property
    def letters(self) -> dict[str, str]:
        """Which users are sessions of ours: the letter by the name."""
        return {session.username: session.label for session in reversed(self.sessions)}

    def pane_of(self, label: str) -> SessionPane | None:
        """Give the column of a letter."""
        return next((pane for pane in self.panes if pane.session.label == label), None)

    # ── columns ───────────────────────────────────────────────────────────────────────────────────────────

    async def add_pane(self, username: str) -> SessionPane:
        """Open a column for a user, and its session."""
        letter = next(one for one in LETTERS if self.pane_of(one) is None)
        session = self.open_session(letter, username)
        pane = SessionPane(session, self.new_view(letter), partial(self.names_of, letter))
        self.panes.append(pane)
        await self.query_one("#panes").mount(pane)
        self.link_views()
        session.start()
        self.use(self.active)
        return pane

    async def remove_pane(self, pane: SessionPane) -> None:
        """Close a column and its session."""
        self.panes.remove(pane)
        self.link_views()
        self.use(0)
        self.set_focus(self.log_view)
        await pane.session.stop()
        await pane.remove()

    async def change_user(self, pane: SessionPane, username: str) -> None:
        """Let another user work in a column; what was captured stays."""
        before = pane.session
        pane.session = self.open_session(before.label, username)
        self.link_views()
        self.refresh_all()
        await before.stop()
        pane.session.start()

    def use(self, place: int) -> None:
        """Make a column the one that keys and side lists speak of."""
        self.active = min(place, len(self.panes) - 1)
        for number, pane in enumerate(self.panes):
            pane.set_class(number == self.active, "-active")
            pane.set_class(number == 1, "-second")
        self.set_class(len(self.panes) > 1, "-two")
        if any(one.has_focus_within for one in self.panes if one is not self.pane):
            self.set_focus(self.log_view)
        self.refresh_all()

    def new_view(self, letter: str, text: str = "") -> FilterView:
        """Make the view of one column."""
        lanes = frozenset[str]() if self.shows_all_lanes else frozenset({letter})
        return FilterView(self.captured.store, text, lanes=lanes)

    @property
    def shows_all_lanes(self) -> bool:
        """Whether a column shows what every connection sees, and not only its own."""
        return self.setup.is_tapping or self.replay is not None

    @property
    def is_side_by_side(self) -> bool:
        """Whether two columns are seen at once, on one time axis."""
        is_wide = self.size.width >= WIDE
        return len(self.panes) == 2 and self.is_linked and is_wide and not self.shows_all_lanes

    def link_views(self) -> None:
        """Give two columns one view and so one time axis, or each its own."""
        if self.is_side_by_side:
            shared = self.panes[0].log_view.view
            shared.set_lanes(frozenset(pane.session.label for pane in self.panes), pairs=True)
            for pane in self.panes:
                pane.log_view.set_view(shared, lane=pane.session.label, lane_user=pane.session.username)
                pane.filter_bar.set_text(shared.text)
            return
        for pane in self.panes:
            text = self.panes[0].log_view.view.text if self.is_linked else pane.log_view.view.text
            pane.log_view.set_view(self.new_view(pane.session.label, text))
            pane.filter_bar.set_text(text)

    def on_resize(self) -> None:
        """Put two columns on one time axis where both are seen, and each on its own where not."""
        shares = len(self.panes) == 2 and self.panes[0].log_view.view is self.panes[1].log_view.view
        if shares != self.is_side_by_side:
            self.link_views()
        self.refresh_all()

    def label_of(self, kind: Kind) -> str:
        """Tell what the conversation of an event is called by the session that saw it, or by any other."""
        own = self.pane_of(kind.connection)
        for session in (*([own.session] if own else []), *self.sessions):
            if session.names.short(kind.conversation_id):
                return session.names.label(kind.conversation_id)
        known = self.labels.get(kind.conversation_id or "", "")
        return known or (f"#{kind.conversation}" if kind.conversation else "")

    def names_of(self, letter: str, field: str) -> Iterable[str]:
        """Tell which names could stand in a field of the filter, or after a mark in the composer."""
        pane = self.pane_of(letter)
        names = pane.session.names if pane else None
        if field == "conv":
            return tuple(label.lstrip("#@") for label in (names.aliases() if names else ()))
        if field in ("from", "as"):
            return tuple(dict.fromkeys((*(names.usernames if names else ()), *self.setup.known_users)))
        return ()

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────────────

    def refresh_all(self) -> None:
        """Draw anew what the sessions know."""
        if not self.panes or not self.is_mounted:
            return
        state, now = self.session.state, self.session.now()
        pane = self.pane
        self._refresh_panes()
        self.query_one(Conversations).show(state.in_order, pane.conversation_id)
        self.query_one(People).show(state.people(pane.conversation_id, now), pane.label, self.letters)
        self.query_one(Chips).show(state, pane.conversation_id, now)
        self.query_one(StatusBar).show(self._status(now))
        playing = self.playing
        self.query_one(ReplayBar).show(playing)
        tabs = [
            UserTab(one.label, one.username, self._unseen(place)) for place, one in enumerate(self.sessions)
        ]
        self.query_one(UserTabs).show(tabs, self.active)
        self.refresh_keys()

    def refresh_keys(self) -> None:
        """Show the keys that work where the focus is, under the words that fit."""
        if not self.panes:
            return
        words = {
            "stream.freeze": "Follow" if self.log_view.is_frozen else "Freeze",
            "app.two": "One user" if len(self.panes) > 1 else "Two users",
            "app.record": "Stop recording" if self.inspection.is_recording else "Record",
        }
        if self.replay is not None:
            words["stream.freeze"] = "Pause" if self.replay.is_playing else "Play"
        hidden = set[str]()
        hidden |= set() if self.control is not None else {"app.faults"}
        hidden |= set() if len(self.panes) > 1 else {"app.other"}
        self.query_one(KeyBar).show(self._keys_here(), words, frozenset(hidden))

    def refresh_detail(self) -> None:
        """Show the selected event in the pane, where the pane is to be seen."""
        detail = self.query_one(Detail)
        if detail.display or detail.styles.display != "none":
            detail.show(self.opened())

    def opened(self) -> Opened | None:
        """Give the selected event with everything that can be told of it."""
        record = self.log_view.record
        if record is None:
            return None
        store = self.captured.store
        return Opened(
            record,
            store.record(self._previous(record.seq)),
            deliveries_of(record, self.captured, self.sessions, self.tap),
            self._meanings(record.frame),
            self.label_of(store.kind(record.seq)),
            is_marked=store.is_marked(record.seq),
        )

    @property
    def playing(self) -> Playing | None:
        """Where the capture is that is played; ``None`` without one."""
        replay = self.replay
        if replay is None:
            return None
        return Playing(
            replay.position, replay.duration, replay.speed, replay.is_playing, replay.played, len(replay)
        )

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _refresh_panes(self) -> None:
        for place, pane in enumerate(self.panes):
            pane.choose_by_itself()
            pane.other = self.other_user(pane)
            # What comes in while one follows is read; a frozen stream shows nothing new.
            pane.session.watch("" if pane.log_view.is_frozen else pane.conversation_id)
            prefix = ""
            if len(self.panes) > 1 and self.has_class("wide"):
                linked = "  (linked to A; = unlinks)" if place == 1 and self.is_linked else ""
                prefix = f"{pane.session.label} {pane.session.username}{linked}"
            pane.refresh_state(prefix, is_read_only=self.replay is not None)

    def other_user(self, pane: SessionPane) -> str:
        """Tell who else is in the conversation in use and no session of ours, rather somebody known."""
        conversation = pane.conversation
        names = [one.username for one in conversation.participants] if conversation else []
        ours = {session.username for session in self.sessions}
        known = [name for name in names if name not in ours]
        favoured = [name for name in known if name in self.setup.known_users]
        return next(iter([*favoured, *known]), "")

    def _unseen(self, place: int) -> int:
        return 0 if place == self.active else self.panes[place].log_view.new_below

    def _status(self, now: float) -> Status:
        address, setup, writer = self.setup.address, self.setup, self.inspection.writer
        log = self.log_view
        is_recording = self.inspection.is_recording and writer is not None
        playing = self.playing
        return Status(
            tuple(Standing(pane.session.label, pane.session.state) for pane in self.panes),
            self.active,
            now,
            place=f"{address.host}:{address.port}",
            address=address.socket_url,
            server="local embedded" if setup.is_embedded else setup.profile,
            held=len(self.captured.store),
            violations=len(self.captured.store.violating),
            view=_view_words(log),
            recording=Path(writer.path).name if is_recording and writer else "",
            recorded=writer.bytes if is_recording and writer else 0,
            fps=log.fps,
            replay=f"{replay_words(playing)}  {self._behind}" if playing else "",
        )

    @property
    def _behind(self) -> str:
        """Say what goes on behind a capture that is played."""
        return "Esc: live again" if self.has_live else "not connected"

    def _keys_here(self) -> tuple[Shown, ...]:
        focused = self.focused
        if isinstance(focused, Composer):
            return COMPOSER_KEYS
        if isinstance(focused, FilterInput):
            return FILTER_KEYS
        return DETAIL_KEYS if self._is_in_detail(focused) else STREAM_KEYS

    def _is_in_detail(self, focused: Widget | None) -> bool:
        return focused is not None and any(isinstance(one, Detail) for one in focused.ancestors)

    def _previous(self, number: int) -> int:
        store = self.captured.store
        kind = store.kind(number)
        for other in range(number - 1, max(store.first - 1, number - _FAR_BACK), -1):
            found = store.kind(other)
            if (found.event, found.direction, found.connection) == (
                kind.event,
                kind.direction,
                kind.connection,
            ):
                return other
        return 0

    def _meanings(self, frame: object) -> dict[str, str]:
        """Tell what the ids in a frame stand for."""
        if not isinstance(frame, dict):
            return {}
        names, found = self.session.names, dict[str, str]()
        data = frame.get("data")
        for prefix, part in (("", frame), ("data.", data if isinstance(data, dict) else {})):
            conversation, user = part.get("conversation_id"), part.get("user_id")
            if isinstance(conversation, str) and names.short(conversation):
                found[f"{prefix}conversation_id"] = names.label(conversation)
            if isinstance(user, str) and names.username(user):
                found[f"{prefix}user_id"] = names.username(user)
        return found


def _view_words(log: EventLog) -> str:
    if not log.is_frozen:
        return "FOLLOW"
    return f"FROZEN ▼ {log.new_below:,} new" if log.new_below else "FROZEN"
