"""The inspector as a whole: sizes, hostile text, logins, two users, frames by hand, files, our own bugs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, TextArea

from tests.tui.fake_session import DESIGN, GENERAL, FakeSession
from tests.tui.stage import ADDRESS, MEDIUM, NARROW, PASSWORD, WIDE, Stage, conversation, refuse, staged
from tests.tui.waiting import until
from tribe_ws.client.control import ControlClient
from tribe_ws.clock import ManualClock
from tribe_ws.errors import ConfigurationError, TribeError
from tribe_ws_tui.app import InspectorApp
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.messages import Broke, LoginWanted, NotSent, Said, TapMoved
from tribe_ws_tui.screens.faults import FaultsScreen
from tribe_ws_tui.screens.raw_frame import RawFrameScreen
from tribe_ws_tui.screens.too_small import TooSmall
from tribe_ws_tui.screens.users import PasswordScreen, UsersScreen
from tribe_ws_tui.screens.welcome import WelcomeScreen
from tribe_ws_tui.setup import InspectorSetup
from tribe_ws_tui.state import Link, LinkKind
from tribe_ws_tui.widgets.composer import Composer
from tribe_ws_tui.widgets.detail import Detail
from tribe_ws_tui.widgets.frame_tree import FrameTree
from tribe_ws_tui.widgets.side_lists import Faults, People


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


# ── sizes ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_small_terminal_is_told_what_is_needed_and_can_leave() -> None:
    async with staged((40, 10), draws=True) as stage:
        text = " ".join(stage.shown().split())
        assert "Terminal is 40x10; the inspector needs 60x16." in text
        assert "`tribe-ws connect` works at any size." in text
        await stage.pilot.resize_terminal(80, 24)
        await stage.sees("as alice → #general")
        await stage.pilot.resize_terminal(59, 16)
        await stage.until(lambda: isinstance(stage.app.screen, TooSmall))
        await stage.press("q")
        assert stage.app._exit


@pytest.mark.parametrize(
    "walk",
    [
        [(120, 40), (40, 10), (120, 40)],
        [(200, 60), (40, 10), (1, 1), (200, 60)],
        [(40, 10), (60, 16), (100, 20), (160, 30)],
        [(1, 1), (80, 24)],
    ],
    ids=str,
)
async def test_any_walk_through_the_sizes_is_survived(walk: list[tuple[int, int]]) -> None:
    async with staged(walk[0], users=("alice", "bob"), draws=True) as stage:
        for size in walk[1:]:
            await stage.pilot.resize_terminal(*size)
            await stage.settle()
        await stage.until(lambda: not isinstance(stage.app.screen, TooSmall))
        assert "Conversations" in stage.shown() or "#general" in stage.shown()


async def test_panes_come_and_go_with_the_width() -> None:
    async with staged(NARROW) as stage:
        assert "1 Conversations" not in stage.shown()
        assert "| ● alice" in stage.shown()
        await stage.pilot.resize_terminal(*MEDIUM)
        await stage.sees("1 Conversations")
        assert "3 Event" in stage.shown()


async def test_a_narrow_screen_gives_the_opened_event_all_the_room() -> None:
    async with staged(NARROW) as stage:
        conversation(stage)
        await stage.settle()
        await stage.press("V", "enter")
        assert "✗ 2 contract violations" in stage.shown()
        assert "message.timestamp" in stage.shown()
        assert not stage.screen.query_one("#panes").display or "Bob Stone is typing" not in stage.shown()
        await stage.press("escape")
        assert "Bob Stone is typing" in stage.shown()


# ── hostile text ──────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "escapes": "\x1b]0;owned\x07\x1b[2J\x1b[31mred",
    "long": "x" * 5000,
    "right-to-left": "abc \u202etxt.exe \u2066hidden",
    "nul": "a\x00b\x01c",
    "markup": "[red]not red[/red] [@click=app.quit]quit[/] [link=file:///etc/passwd]x[/link]",
    "wide": "你好" * 400 + "👩‍👩‍👧" * 50,
    "combining": "e" + "\u0301" * 300,
}


@pytest.mark.parametrize("size", [NARROW, pytest.param(WIDE, marks=pytest.mark.slow)], ids=str)
async def test_hostile_text_is_shown_as_text_and_changes_nothing(size: tuple[int, int]) -> None:
    async with staged(size, draws=True) as stage:
        for text in HOSTILE.values():
            stage.alice.hear_message("bob", text)
            stage.alice.hear_typing("bob", True)
            stage.alice.hear({"event": text, "conversation_id": text, "data": {text: text}})
        stage.alice.hear("\x1b[2J no JSON [bold]")
        await stage.settle()
        await every_view(stage)
        shown = stage.shown()
        assert not set(shown) & {chr(code) for code in (*range(32), 0x7F, 0x202E, 0x2066) if code != 10}
        assert "[red]not red[/red]" in shown_of(stage, "[red]")
        assert r"\x1b" in shown_of(stage, "owned")


async def every_view(stage: Stage) -> None:
    """Look at every event in every way."""
    for _ in range(len(stage.log.view)):
        await stage.press("up")
    for key in ("w", "p", "p", "w"):
        await stage.press(key)
    stage.log.select_row(len(stage.log.view) - 1)
    for view in ("raw", "diff", "decoded"):
        stage.screen.query_one(Detail).choose(view)
        await stage.settle()


def shown_of(stage: Stage, part: str) -> str:
    """Give the line of the log that shows an event with that text."""
    rows = range(len(stage.log.view))
    lines = ["".join(text for text in stage.log.painter.texts(row, 200)) for row in rows]
    return next((line for line in lines if part in line), "")


async def test_a_frame_of_a_megabyte_opens_at_once() -> None:
    async with staged() as stage:
        data = {"content": "y" * 1_000_000, "list": list(range(5000))}
        stage.alice.hear({"event": "message.new", "data": data})
        await stage.settle()
        await stage.press("V", "enter", "p")
        assert "yyyy" in stage.shown()
        stage.screen.query_one(Detail).choose("decoded")
        await stage.settle()
        assert "(1,000,000 characters)" in stage.shown() or "1,000,000" in tree_text(stage)


def tree_text(stage: Stage) -> str:
    tree = stage.screen.query_one(FrameTree)
    return " ".join(str(node.label) for node in tree.root.children for node in (node, *node.children))


# ── who one is ────────────────────────────────────────────────────────────────────────────────────────────


async def test_acting_as_another_user_changes_the_session_of_the_pane() -> None:
    async with staged() as stage:
        alice = stage.alice
        await stage.press("u", "down", "enter")
        await stage.until(lambda: stage.sessions["A"].username == "bob")
        await stage.until(lambda: alice.is_stopped)
        await stage.sees("as bob")


async def test_a_second_user_sits_beside_the_first_on_one_time_axis() -> None:
    async with staged(WIDE, users=("alice", "bob")) as stage:
        a, b = stage.screen.panes
        assert a.log_view.view is b.log_view.view
        stage.clock.advance(1)
        stage.bob.hear_message("alice", "Does this arrive?")
        stage.clock.advance(0.003)
        stage.alice.say(GENERAL, "Does this arrive?")
        await stage.settle()
        row = next(line for line in stage.shown().split("\n") if "POST message" in line)
        assert "message.new" in row, "what happened at the same moment stands on the same line"
        assert "B bob" in stage.shown()
        await stage.press("f6", "up", "equals_sign")
        assert not stage.screen.is_linked
        assert a.log_view.view is not b.log_view.view
        assert a.log_view.view.text == ""
        assert b.log_view.view.text


async def test_a_filter_holds_for_both_users_as_long_as_they_are_linked() -> None:
    async with staged(NARROW, users=("alice", "bob")) as stage:
        assert "[A alice]" in stage.shown()
        stage.screen.set_filter("event:typing")
        assert [pane.log_view.view.text for pane in stage.screen.panes] == ["event:typing"] * 2
        await stage.press("f6")
        assert "[B bob]" in stage.shown()
        await stage.pilot.resize_terminal(*WIDE)
        await stage.until(lambda: stage.screen.panes[0].log_view.view is stage.screen.panes[1].log_view.view)


async def test_a_wrong_password_is_asked_for_again_and_the_right_one_logs_in() -> None:
    async with staged() as stage:
        stage.screen.post_message(LoginWanted("A", "alice", "token_expired"))
        await stage.until(lambda: isinstance(stage.app.screen, PasswordScreen))
        await stage.sees("token_expired")
        await stage.press(*"wrong", "enter")
        await stage.sees("not logged in to")
        assert "wrong" not in stage.shown()
        await stage.press(*PASSWORD, "enter")
        await stage.until(lambda: bool(stage.calls("log_in")))


async def test_people_can_be_chosen_to_act_as() -> None:
    async with staged() as stage:
        await stage.press("2", "down", "enter")
        await stage.until(lambda: stage.screen.active == 1)
        assert stage.bob.username == "bob"
        stage.screen.use(0)
        await stage.settle()
        stage.screen.query_one(People).highlighted = 1
        await stage.press("2", "enter")
        assert stage.screen.active == 1


# ── how one begins ────────────────────────────────────────────────────────────────────────────────────────


async def test_without_anybody_to_be_the_welcome_offers_what_works() -> None:
    started = []

    async def start_server() -> ControlClient | None:
        started.append(True)
        return None

    async with staged(users=(), start_server=start_server, why_nobody="nothing is listening there") as stage:
        assert isinstance(stage.app.screen, WelcomeScreen)
        assert "Start a local server" in stage.shown()
        assert "nothing is listening there" in stage.shown()
        await stage.press("enter")
        await stage.until(lambda: "A" in stage.sessions)
        assert started
        assert stage.alice.username == "alice"


async def test_a_server_that_does_not_start_is_told_and_one_can_choose_again() -> None:
    async def start_server() -> ControlClient | None:
        raise ConfigurationError("port 8000 is in use")

    async with staged(users=(), start_server=start_server) as stage:
        await stage.press("s")
        await stage.sees("port 8000 is in use")
        assert isinstance(stage.app.screen, WelcomeScreen)
        await stage.press("escape")
        assert stage.app._exit


async def test_from_the_welcome_one_logs_in_or_opens_a_capture() -> None:
    async with staged(users=()) as stage:
        assert "Start a local server" not in stage.shown()
        await stage.press("o", "escape")
        assert isinstance(stage.app.screen, WelcomeScreen)
        await stage.press("u")
        assert isinstance(stage.app.screen, UsersScreen)
        stage.app.screen.query_one(Input).value = "@cara"
        stage.app.screen.query_one(Input).focus()
        await stage.press("enter")
        await stage.until(lambda: "A" in stage.sessions)
        assert stage.alice.username == "cara"


async def test_a_capture_plays_without_anybody_logged_in(tmp_path: Path) -> None:
    path = tmp_path / "capture.ndjson"
    async with staged() as stage:
        stage.screen.record(path)
        conversation(stage)
        stage.screen.record(None)
    async with staged(users=(), replay=path) as stage:
        await stage.sees("▷ replay")
        await stage.sees("replay is read-only")
        await stage.press("u", "escape")


async def test_subscribes_at_once_to_what_one_came_for() -> None:
    async with staged(subscribed=False, subscribe=("general", "desgin")) as stage:
        await stage.until(lambda: GENERAL in stage.alice.state.subscribed)
        await stage.sees('no conversation "desgin"')


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────


async def write(stage: Stage, text: str) -> None:
    stage.screen.set_focus(stage.screen.pane.composer)
    stage.screen.pane.composer.put(text)
    await stage.pilot.pause()
    await stage.press("escape") if stage.screen.pane.composer._completion else None
    await stage.press("enter")


COMMANDS: list[tuple[str, tuple[Any, ...]]] = [
    ("/subscribe design", ("send", {"event": "subscribe", "conversation_id": DESIGN})),
    ("/unsubscribe", ("send", {"event": "unsubscribe", "conversation_id": GENERAL})),
    ("/msg /slashes", ("say", GENERAL, "/slashes")),
    ("//slashes", ("say", GENERAL, "/slashes")),
    ("/typing on", ("send", {"event": "typing", "conversation_id": GENERAL, "is_typing": True})),
    ("/presence away", ("send", {"event": "presence", "status": "away"})),
    ("/ping", ("send", {"event": "ping"})),
    ("/raw no JSON", ("send", "no JSON")),
    ('{"event":"ping"}', ("send", '{"event":"ping"}')),
    ("/reconnect", ("reconnect",)),
    ("/close 4000 bye now", ("close", 4000, "bye now")),
]
COMPLAINTS: list[tuple[str, str]] = [
    ("/subscibe x", "Did you mean /subscribe?"),
    ("/conv generl", "did you mean #general?"),
    ("/ping many", "/ping N, from 1 to 1000"),
    ("/close 1006", "/close CODE REASON"),
    ("/typing maybe", "/typing on|off|5s"),
    ("/presence asleep", "/presence online|away|offline"),
    ("/file none.txt", "No such file"),
    ("/conv", "/conv NAME"),
    ("/filter form:x", "unknown field"),
]


async def test_commands_reach_the_session() -> None:
    async with staged() as stage:
        for text, call in COMMANDS:
            stage.screen.choose_conversation(GENERAL)
            if not stage.alice.state.link.is_open:
                stage.alice.reconnect()
            stage.alice.calls.clear()
            await write(stage, text)
            assert call in stage.alice.calls, (text, stage.alice.calls)
            assert stage.screen.pane.composer.text == ""


async def test_what_cannot_be_done_is_told_and_stays_in_the_composer() -> None:
    async with staged() as stage:
        for text, complaint in COMPLAINTS:
            await write(stage, text)
            await stage.sees(complaint)
            assert stage.screen.pane.composer.text == (text if not text.startswith("/filter") else "")
            stage.app.clear_notifications()


async def test_commands_reach_the_screen(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("from a file\n", "utf-8")
    async with staged() as stage:
        await write(stage, "/filter from:bob")
        assert stage.log.view.text == "from:bob"
        await write(stage, "/violations")
        assert stage.log.view.text == "is:violation"
        await write(stage, "/filter off")
        await write(stage, "/file note.txt")
        assert ("say", GENERAL, "from a file") in stage.alice.calls
        await write(stage, "/record here.ndjson")
        assert stage.inspection.is_recording
        await write(stage, "/record stop")
        await write(stage, "/save all.ndjson")
        assert (tmp_path / "all.ndjson").read_text("utf-8").count("\n") >= 3
        await write(stage, "/fault drop")
        await stage.sees("faults are for a local server")
        await write(stage, "/also bob")
        await stage.until(lambda: stage.screen.active == 1)
        stage.screen.use(0)
        await write(stage, "/as cara")
        await stage.until(lambda: stage.alice.username == "cara")
        await write(stage, "/help")
        await stage.sees("search: a key, a word")
        await stage.press("escape")
        await write(stage, "/quit")
        await stage.until(lambda: stage.app._exit)


async def test_real_typing_events_begin_and_end() -> None:
    async with staged() as stage:
        await stage.press("i", "H", "i")
        assert typed(stage) == [True]
        await stage.press("escape")
        assert typed(stage) == [True, False]


def typed(stage: Stage) -> list[bool]:
    """Give the typing events that went out."""
    return [frame["is_typing"] for (frame,) in stage.calls("send") if "is_typing" in frame]


async def test_drafts_are_kept_for_each_conversation_and_up_brings_back_what_was_sent() -> None:
    async with staged() as stage:
        composer = stage.screen.pane.composer
        await stage.press("i", *"first", "enter", *"draft")
        stage.screen.choose_conversation(DESIGN)
        assert composer.text == ""
        stage.screen.choose_conversation(GENERAL)
        assert composer.text == "draft"
        composer.put("")
        await stage.press("up")
        assert composer.text == "first"
        await stage.press("down")
        assert composer.text == ""


async def test_what_one_follows_is_not_counted_as_new_but_what_one_does_not_see_is() -> None:
    async with staged() as stage:
        stage.alice.hear_message("bob", "seen as it comes")
        stage.alice.hear_message("cara", "elsewhere", DESIGN)
        conversations = stage.alice.state.conversations
        assert (conversations[GENERAL].unread, conversations[DESIGN].unread) == (0, 1)
        await stage.press("space")
        await stage.settle()
        stage.alice.hear_message("bob", "below what is frozen")
        await stage.settle()
        assert stage.alice.state.conversations[GENERAL].unread == 1
        assert "1 new" in stage.shown()
        stage.screen.choose_conversation(DESIGN)
        assert stage.alice.state.conversations[DESIGN].unread == 0


async def test_a_message_that_was_not_stored_goes_back_into_the_composer() -> None:
    async with staged() as stage:
        stage.screen.post_message(NotSent("A", GENERAL, "lost?", "the server did not answer"))
        await stage.sees("the server did not answer")
        assert stage.screen.pane.composer.text == "lost?"


async def test_the_editor_gives_the_text_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "edit.sh"
    script.write_text('#!/bin/sh\nprintf "written\\033[2J there\\n" >> "$1"\n', "utf-8")
    script.chmod(0o700)
    async with staged(editor=str(script)) as stage:
        monkeypatch.setattr(stage.app, "suspend", nothing)
        await stage.press("i", "a", "ctrl+e")
        await stage.until(lambda: "written" in stage.screen.pane.composer.text)
        assert stage.screen.pane.composer.text == r"awritten\x1b[2J there"
    async with staged(editor="/nowhere/vi") as stage:
        monkeypatch.setattr(stage.app, "suspend", nothing)
        await stage.press("i", "ctrl+e")
        await stage.sees("/nowhere/vi")


class nothing:  # noqa: N801 - stands for a method
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


async def test_frames_by_hand_in_every_kind() -> None:
    async with staged() as stage:
        await stage.press("exclamation_mark")
        area = stage.app.screen.query_one(TextArea)
        area.text = '{"event":"typing"}'
        await stage.sees("✗")
        area.text = json.dumps({"event": "subscribe", "channel": "conversation", "conversation_id": DESIGN})
        await stage.sees("● a documented frame")
        await stage.press("ctrl+s")
        assert stage.screen.pane.conversation_id == DESIGN
        stage.alice.calls.clear()
        for kind, text in (("binary", "00 ff"), ("ping", ""), ("close", "bye")):
            await stage.press("exclamation_mark")
            screen = stage.app.screen
            assert isinstance(screen, RawFrameScreen)
            screen.query_one(TextArea).text = text
            while screen._kind != kind:
                await stage.press("f3")
            if kind == "close":
                screen.query_one(Input).value = "1006"
                await stage.press("ctrl+s")
                await stage.sees("A close needs a code")
                screen.query_one(Input).value = "4001"
            await stage.press("ctrl+s")
        assert stage.alice.calls == [
            ("send", repr(b"\x00\xff")),
            ("send", {"event": "ping"}),
            ("close", 4001, "bye"),
        ]


# ── the opened event ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_message_says_to_whom_it_went_and_why_not() -> None:
    async with staged(WIDE, users=("alice", "bob")) as stage:
        stage.alice.say(GENERAL, "Hello")
        stage.clock.advance(0.011)
        stage.bob.hear_message("alice", "Hello")
        await stage.settle()
        store = stage.inspection.store
        stage.log.select(next(one for one in store.numbers if store.kind(one).direction == "rest"))
        await stage.settle()
        shown = " ".join(stage.shown().split())
        assert "● bob" in shown
        assert "1 of 1 connection" in shown
        assert "○ alice the sender: never echoed" in shown
        assert "○ cara not watched here" in shown


async def test_enter_on_a_value_filters_by_it() -> None:
    async with staged() as stage:
        conversation(stage)
        await stage.settle()
        await stage.press("V", "enter")
        tree = stage.screen.query_one(FrameTree)
        data = next(node for node in tree.root.children if str(node.label).startswith("data"))
        content = next(node for node in data.children if "content" in str(node.label))
        tree.move_cursor(content)
        await stage.press("enter")
        assert stage.log.view.text == 'data.content="looks good"'
        assert len(stage.log.view) == 1


# ── faults, tap, words in passing ─────────────────────────────────────────────────────────────────────────


class FakeControl:
    """A control API that remembers its faults."""

    def __init__(self) -> None:
        self.rules: dict[int, str] = {}

    async def faults(self) -> list[dict[str, Any]]:
        return [{"id": key, "fault": rule, "hits": 2} for key, rule in self.rules.items()]

    async def add_faults(self, text: str) -> list[dict[str, Any]]:
        if text == "explode":
            raise ConfigurationError("expected an action first")
        self.rules[len(self.rules) + 1] = text
        return []

    async def clear_faults(self, fault_id: int | None = None) -> int:
        if fault_id is None:
            self.rules.clear()
        else:
            self.rules.pop(fault_id)
        return 1


async def test_faults_are_switched_written_and_cleared() -> None:
    control = FakeControl()
    async with staged(control=control, is_embedded=True) as stage:
        await stage.sees("4 Faults  embedded")
        await stage.press("f")
        await stage.until(lambda: isinstance(stage.app.screen, FaultsScreen))
        await stage.press("enter")
        await stage.until(lambda: control.rules == {1: "delay 250ms"})
        await stage.sees("[x]")
        stage.app.screen.query_one(OptionList).highlighted = 0
        await stage.press("enter")
        await stage.until(lambda: not control.rules)
        stage.app.screen.query_one(Input).focus()
        await stage.press(*"drop 5%", "enter")
        await stage.until(lambda: control.rules == {1: "drop 5%"})
        await stage.press(*"explode", "enter")
        await stage.sees("expected an action first")
        await stage.press("f3")
        await stage.until(lambda: not control.rules)


async def test_a_fault_that_is_switched_keeps_its_row_under_the_cursor() -> None:
    control = FakeControl()
    async with staged(control=control, is_embedded=True) as stage:
        await stage.press("f")
        await stage.until(lambda: isinstance(stage.app.screen, FaultsScreen))
        faults = stage.app.screen.query_one(Faults)
        faults.highlighted = 4
        before = faults.keys
        await stage.press("enter")
        await stage.until(lambda: control.rules == {1: "corrupt"})
        await stage.sees("[x] bad JSON")
        assert (faults.keys, faults.highlighted) == (before, 4)
        await stage.press("enter")
        await stage.until(lambda: not control.rules)


async def test_without_a_local_server_there_is_no_fault_pane() -> None:
    async with staged() as stage:
        assert "4 Faults" not in stage.shown()
        assert "f Faults" not in stage.shown()


async def test_what_the_data_side_says_is_shown_as_text() -> None:
    async with staged() as stage:
        stage.screen.post_message(Said("[red]back[/] after 6 s", hint="see below"))
        await stage.sees("[red]back[/] after 6 s  see below")
        stage.screen.post_message(TapMoved("the server ended"))
        await stage.sees("the server ended")


# ── export ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_export_writes_what_is_chosen_in_the_form_that_is_chosen(tmp_path: Path) -> None:
    async with staged() as stage:
        conversation(stage)
        await stage.settle()
        for downs, ending in ((0, ".ndjson"), (1, ".har"), (2, ".md"), (3, ".yaml")):
            await stage.press("e", "tab", *["down"] * downs, "enter")
            await stage.until(lambda ending=ending: bool(list(tmp_path.glob(f"*{ending}"))))  # type: ignore[misc]
        await stage.press("e", "down", "down", "enter")
        await stage.sees("mark events with m first")
        await stage.press("escape")
    assert {mode(path) for path in files(tmp_path)} == {0o600}


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("tribe-*"))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


# ── bugs of our own ───────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def sturdy(log: Path) -> AsyncIterator[tuple[InspectorApp, Pilot[None]]]:
    """Run an inspector that survives its bugs; one sits in its key ``d``."""
    inspection = Inspection()
    setup = InspectorSetup(ADDRESS, refuse, users=("alice",), log_file=log)
    app = InspectorApp(setup, inspection, lambda *_: broken_session())

    def broken_session() -> FakeSession:
        session = FakeSession("A", "alice", inspection, app.inspector.post_message, ManualClock())
        session.disconnect = explode  # type: ignore[method-assign]
        return session

    async with app.run_test(size=MEDIUM, notifications=True) as pilot:
        await pilot.pause()
        yield app, pilot
        # Whatever happened, the keys are still heard.
        await pilot.pause()
        was_frozen = app.inspector.log_view.is_frozen
        await pilot.press("space")
        await pilot.pause()
        assert app.is_running
        assert app.inspector.log_view.is_frozen is not was_frozen, "the inspector goes on"


def bugs_told(app: InspectorApp) -> list[str]:
    return [one.message for one in app._notifications if one.title == "bug"]


async def test_a_bug_is_told_once_written_down_and_survived(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "tui.log"
    async with sturdy(log) as (app, pilot):
        for _ in range(30):
            await pilot.press("d")
        await pilot.pause()
        assert bugs_told(app) == [f"Bug in tribe-ws, log at {log}; keeps running"]
    story = log.read_text("utf-8")
    assert story.count("Traceback") == 1
    assert "ZeroDivisionError" in story
    assert "eyJsecret" not in story


async def in_a_widget(app: InspectorApp) -> None:
    composer = app.inspector.pane.composer
    with patch.object(Composer, "on_text_area_changed", lambda _: explode()):
        composer.put("text")
        await until(lambda: bool(bugs_told(app)))
    composer.put("/su")
    # The widget itself is still there: it hears what is typed, and offers words.
    await until(lambda: composer._completion is not None)
    composer.put("")
    app.inspector.log_view.focus()


async def in_a_timer(app: InspectorApp) -> None:
    app.inspector.log_view.set_timer(0.01, explode)


async def in_a_worker(app: InspectorApp) -> None:
    async def work() -> None:
        explode()

    app.inspector.run_worker(work())


async def in_a_callback(app: InspectorApp) -> None:
    app.inspector.pane.composer.call_later(explode)
    app.inspector.call_after_refresh(explode)


async def in_a_task(app: InspectorApp) -> None:
    try:
        explode()
    except ZeroDivisionError as error:
        app.inspector.post_message(Broke(error))


async def in_a_screen_on_top(app: InspectorApp) -> None:
    class Broken(RawFrameScreen):
        def on_mount(self) -> None:
            explode()

    await app.push_screen(Broken())
    await until(lambda: bool(bugs_told(app)))
    app.pop_screen()


@pytest.mark.parametrize(
    "fail", [in_a_widget, in_a_timer, in_a_worker, in_a_callback, in_a_task, in_a_screen_on_top]
)
async def test_a_bug_anywhere_is_survived(
    fail: Callable[[InspectorApp], Awaitable[None]], tmp_path: Path
) -> None:
    async with sturdy(tmp_path / "tui.log") as (app, _):
        await fail(app)
        await until(lambda: bool(bugs_told(app)))
    assert "ZeroDivisionError" in (tmp_path / "tui.log").read_text("utf-8")


def explode() -> None:
    raise ZeroDivisionError("ws://127.0.0.1/api/v1/ws?token=eyJsecret.eyJsecret.sig")


def test_errors_of_the_library_are_no_bugs() -> None:
    assert issubclass(ConfigurationError, TribeError)


async def test_the_link_of_a_refused_user_offers_no_retry() -> None:
    refused = Link(LinkKind.REFUSED, 0.0, 4401, "token_invalid", "token rejected")
    async with staged(stays_away=refused) as stage:
        await stage.sees("✗ refused: token rejected (4401)")
        assert '"token_invalid"' in stage.shown()
        await stage.press("i")
        await stage.sees("off: the server refused the token")
