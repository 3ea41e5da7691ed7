"""What each key must do, key by key; ``test_keys`` presses all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.widgets import Input, TextArea

from tests.tui.fake_session import DESIGN, GENERAL
from tests.tui.stage import Stage
from tribe_ws_tui.screens.ask import Ask
from tribe_ws_tui.screens.export import ExportScreen
from tribe_ws_tui.screens.filter_help import FilterHelp
from tribe_ws_tui.screens.help import HelpScreen
from tribe_ws_tui.screens.inspector import Inspector
from tribe_ws_tui.screens.jump import JumpScreen
from tribe_ws_tui.screens.open_capture import OpenCapture
from tribe_ws_tui.screens.raw_frame import RawFrameScreen
from tribe_ws_tui.screens.users import PasswordScreen, UsersScreen
from tribe_ws_tui.state import LinkKind
from tribe_ws_tui.widgets.composer import Composer
from tribe_ws_tui.widgets.detail import Detail
from tribe_ws_tui.widgets.filter_bar import FilterBar, FilterInput
from tribe_ws_tui.widgets.frame_tree import FrameTree
from tribe_ws_tui.widgets.side_lists import Conversations, People

Check = Callable[[Stage, str], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def check(key_id: str) -> Callable[[Check], Check]:
    def note(function: Check) -> Check:
        CHECKS[key_id] = function
        return function

    return note


async def reset(stage: Stage) -> None:
    """Bring the inspector back to where each check begins."""
    while not isinstance(stage.app.screen, Inspector):
        await stage.app.pop_screen()
    screen = stage.screen
    screen.close_detail()
    screen.set_filter("")
    screen.search = ""
    stage.log.view.show_all()
    stage.log.follow()
    stage.log.select(None)
    stage.log.follow()
    screen.set_focus(stage.log)
    if not stage.alice.state.link.is_open:
        stage.alice.reconnect()
    stage.alice.calls.clear()
    await stage.settle()


async def select(stage: Stage, event: str) -> None:
    """Select the newest event of that name."""
    store = stage.inspection.store
    number = max(one for one in store.numbers if store.kind(one).event == event)
    stage.log.select(number)
    await stage.settle()


def top(stage: Stage) -> Any:
    return stage.app.screen


def name_of(stage: Stage, number: int | None) -> str:
    assert number is not None
    return stage.inspection.store.kind(number).event


# ── the stream ────────────────────────────────────────────────────────────────────────────────────────────


@check("stream.up")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key, key)
    assert stage.log.selected_row == len(stage.log.view) - 2
    assert stage.log.is_frozen


@check("stream.down")
async def _(stage: Stage, key: str) -> None:
    stage.log.select_row(0)
    await stage.press(key)
    assert stage.log.selected_row == 1


@check("stream.page-up")
async def _(stage: Stage, key: str) -> None:
    stage.log.select_row(len(stage.log.view) - 1)
    await stage.press(key)
    assert stage.log.selected_row == 0


@check("stream.page-down")
async def _(stage: Stage, key: str) -> None:
    stage.log.select_row(0)
    await stage.press(key)
    assert stage.log.selected_row == len(stage.log.view) - 1


@check("stream.top")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.log.selected_row == 0


@check("stream.follow")
async def _(stage: Stage, key: str) -> None:
    stage.log.freeze()
    await stage.press(key)
    assert stage.log.is_following


@check("stream.freeze")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    held = len(stage.inspection.store)
    stage.alice.hear_typing("bob", True)
    await stage.settle()
    assert len(stage.inspection.store) == held + 1
    assert "FROZEN ▼ 1 new" in stage.shown()
    await stage.press(key)
    assert "FOLLOW" in stage.shown()


@check("stream.open")
async def _(stage: Stage, key: str) -> None:
    await select(stage, "message.new")
    await stage.press(key)
    assert isinstance(stage.screen.focused, FrameTree)
    assert "looks good" in stage.shown()


@check("stream.filter")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(stage.screen.focused, FilterInput)


@check("stream.presets")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.log.view.text == "event:message.*"


@check("stream.find")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(top(stage), Ask)
    await stage.press(*"DEPLOY", "enter")
    assert "deploy" in (stage.log.record.text if stage.log.record else "")


@check("stream.next-match")
async def _(stage: Stage, key: str) -> None:
    stage.screen.search = "typing"
    stage.log.select_row(0)
    await stage.press(key)
    assert name_of(stage, stage.log.selected) == "typing"


@check("stream.previous-match")
async def _(stage: Stage, key: str) -> None:
    stage.screen.search = "connected"
    await stage.press(key)
    assert name_of(stage, stage.log.selected) == "connected"


@check("stream.next-violation")
async def _(stage: Stage, key: str) -> None:
    stage.log.select_row(0)
    await stage.press(key)
    assert stage.log.record is not None
    assert stage.log.record.violations


@check("stream.previous-violation")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.log.record is not None
    assert stage.log.record.violations


@check("stream.minute-back")
async def _(stage: Stage, key: str) -> None:
    stage.log.select_row(len(stage.log.view) - 1)
    await stage.press(key)
    assert stage.log.selected_row == 0


@check("stream.minute-on")
async def _(stage: Stage, key: str) -> None:
    stage.log.select_row(0)
    await stage.press(key)
    assert stage.log.selected_row == len(stage.log.view) - 1


@check("stream.mark")
async def _(stage: Stage, key: str) -> None:
    await select(stage, "message.new")
    await stage.press(key)
    assert list(stage.inspection.store.marked) == [stage.log.selected]
    await stage.press(key)
    assert not list(stage.inspection.store.marked)


@check("stream.next-mark")
async def _(stage: Stage, key: str) -> None:
    stage.inspection.store.mark(2)
    await stage.press(key)
    assert stage.log.selected == 2
    stage.inspection.store.mark(2)


@check("stream.copy")
async def _(stage: Stage, key: str) -> None:
    await select(stage, "message.new")
    await stage.press(key)
    assert '"looks good"' in stage.app.clipboard


@check("stream.copy-command")
async def _(stage: Stage, key: str) -> None:
    await select(stage, "POST message")
    await stage.press(key)
    assert stage.app.clipboard == "tribe-ws send general 'yes, 10 minutes ago' --as alice"


@check("stream.only")
async def _(stage: Stage, key: str) -> None:
    await select(stage, "typing")
    await stage.press(key)
    assert stage.log.view.text == "event:typing"


@check("stream.hide")
async def _(stage: Stage, key: str) -> None:
    stage.screen.set_filter("from:bob | from:cara")
    await select(stage, "typing")
    await stage.press(key)
    assert stage.log.view.text == "(from:bob | from:cara) !event:typing"


@check("stream.clear")
async def _(stage: Stage, key: str) -> None:
    held = len(stage.inspection.store)
    await stage.press(key)
    assert len(stage.log.view) == 0
    assert len(stage.inspection.store) == held


@check("stream.columns")
async def _(stage: Stage, key: str) -> None:
    before = stage.log.look.columns
    await stage.press(key)
    assert not stage.log.look.columns.conversation
    await stage.press(key, key, key)
    assert stage.log.look.columns == before


@check("stream.time")
async def _(stage: Stage, key: str) -> None:
    seen = []
    for _ in range(3):
        await stage.press(key)
        seen.append(stage.log.look.time)
    assert seen == ["relative", "delta", "clock"]


@check("stream.wrap")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.log.look.is_wrapped
    await stage.press(key)


@check("stream.raw")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert '{"event"' in stage.shown()
    await stage.press(key)


@check("stream.again")
async def _(stage: Stage, key: str) -> None:
    await select(stage, "typing")
    await stage.press(key)
    assert isinstance(top(stage), RawFrameScreen)
    assert '"typing"' in top(stage).query_one(TextArea).text


# ── everywhere ────────────────────────────────────────────────────────────────────────────────────────────


@check("app.help")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(top(stage), HelpScreen)
    await stage.press(*"freeze", "enter")
    await stage.until(lambda: stage.log.is_frozen)


@check("app.palette")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    await stage.sees("Find any action")


@check("app.next-pane")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(stage.screen.focused, Composer)


@check("app.previous-pane")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(stage.screen.focused, People)


@check("app.conversations")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(stage.screen.focused, Conversations)
    await stage.press("j", "enter")
    assert stage.screen.pane.conversation_id != GENERAL
    stage.screen.choose_conversation(GENERAL)


@check("app.people")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(stage.screen.focused, People)


@check("app.event")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(stage.screen.focused, FrameTree)


@check("app.fault-pane")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    await stage.sees("faults are for a local server")


@check("app.stream")
async def _(stage: Stage, key: str) -> None:
    stage.screen.set_focus(stage.screen.query_one(People))
    await stage.press(key)
    assert stage.screen.focused is stage.log


@check("app.jump")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(top(stage), JumpScreen)
    assert "w Composer" in stage.shown()
    await stage.press("w")
    assert isinstance(stage.screen.focused, Composer)


@check("app.write")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(stage.screen.focused, Composer)


@check("app.subscribe")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert GENERAL not in stage.alice.state.subscribed
    await stage.press(key)
    assert GENERAL in stage.alice.state.subscribed


@check("app.users")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(top(stage), UsersScreen)
    await stage.press("escape")


@check("app.two")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    await stage.until(lambda: len(stage.screen.panes) == 2)
    assert stage.bob.username == "bob"
    await stage.press(key)
    await stage.until(lambda: len(stage.screen.panes) == 1)
    assert stage.bob.is_stopped


@check("app.other")
async def _(stage: Stage, key: str) -> None:
    await stage.press("t")
    await stage.until(lambda: len(stage.screen.panes) == 2 and stage.screen.active == 1)
    await stage.press(key)
    assert stage.screen.active == 0
    await stage.press("i", key)
    assert stage.screen.active == 1
    assert stage.screen.focused is stage.screen.panes[1].composer
    await stage.press("escape", "t")
    await stage.until(lambda: len(stage.screen.panes) == 1)


@check("app.faults")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    await stage.sees("tribe-ws serve")


@check("app.export")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(top(stage), ExportScreen)


@check("app.record")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(top(stage), Ask)
    top(stage).query_one(Input).value = "recorded.ndjson"
    await stage.press("enter")
    await stage.until(lambda: stage.inspection.is_recording)
    assert "REC recorded.ndjson" in stage.shown()
    await stage.press(key)
    assert not stage.inspection.is_recording


@check("app.capture")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(top(stage), OpenCapture)


@check("app.raw-frame")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert isinstance(top(stage), RawFrameScreen)


@check("app.reconnect")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.calls("reconnect")


@check("app.disconnect")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.alice.state.link.kind is LinkKind.DISCONNECTED
    assert "disconnected" in stage.shown()


@check("app.log-in")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    await stage.until(lambda: isinstance(top(stage), PasswordScreen))
    await stage.press(*"Tribe-demo-1", "enter")
    await stage.until(lambda: bool(stage.calls("log_in")))


@check("app.start-server")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    await stage.sees("start it in another terminal")


@check("app.theme")
async def _(stage: Stage, key: str) -> None:
    await stage.press(key)
    assert stage.app.theme == "textual-light"
    await stage.press(key)
    assert stage.app.theme == "textual-dark"


@check("app.typing")
async def _(stage: Stage, key: str) -> None:
    assert not key  # It has none by default: the palette does it.
    await stage.screen.run_action("typing")
    assert not stage.alice.sends_typing
    await stage.screen.run_action("typing")
    assert stage.alice.sends_typing


# ── the opened event, the filter, the composer, the frame editor ──────────────────────────────────────────


@check("detail.diff")
async def _(stage: Stage, key: str) -> None:
    await select(stage, "message.new")
    await stage.press("enter", key)
    assert stage.screen.query_one(Detail).view == "diff"
    assert "~ data.content" in stage.shown()
    await stage.press(key)


@check("filter.apply")
async def _(stage: Stage, key: str) -> None:
    await stage.press("slash", *"from:bob", key)
    assert stage.log.view.text == "from:bob"
    assert "filter: from:bob" in stage.shown()
    assert stage.screen.focused is stage.log


@check("filter.leave")
async def _(stage: Stage, key: str) -> None:
    stage.screen.set_filter("from:bob")
    await stage.press("slash", "x", key)
    assert stage.log.view.text == "from:bob"
    await stage.press(key)
    assert stage.log.view.text == ""


@check("filter.help")
async def _(stage: Stage, key: str) -> None:
    await stage.press("slash", key)
    assert isinstance(top(stage), FilterHelp)
    await stage.press("enter")
    assert stage.screen.query_one(FilterInput).value == "event:message.new"
    stage.screen.query_one(FilterBar).close()


@check("filter.preset")
async def _(stage: Stage, key: str) -> None:
    await stage.press("slash", key, key)
    assert stage.screen.query_one(FilterInput).value == "event:typing"
    await stage.press("escape")


@check("composer.send")
async def _(stage: Stage, key: str) -> None:
    await stage.press("i", *"Hi", key)
    assert stage.calls("say") == [(GENERAL, "Hi")]


@check("composer.line")
async def _(stage: Stage, key: str) -> None:
    await stage.press("i", "a", key, "b", "enter")
    assert stage.calls("say") == [(GENERAL, "a\nb")]


@check("composer.complete")
async def _(stage: Stage, key: str) -> None:
    await stage.press("i", *"/sub", key, *"#des", key, "enter")
    assert DESIGN in stage.alice.state.subscribed
    assert stage.screen.pane.conversation_id == DESIGN
    stage.alice.unsubscribe(DESIGN)
    stage.screen.choose_conversation(GENERAL)


@check("composer.editor")
async def _(stage: Stage, key: str) -> None:
    await stage.press("i", key)
    await stage.sees("set EDITOR")


@check("composer.leave")
async def _(stage: Stage, key: str) -> None:
    await stage.press("i", "x", key)
    assert stage.screen.focused is stage.log
    assert stage.screen.pane.composer.text == "x"
    stage.screen.pane.composer.put("")


@check("frame.send")
async def _(stage: Stage, key: str) -> None:
    await stage.press("exclamation_mark", "backspace")
    await stage.sees("Ctrl+S sends it anyway")
    await stage.press(key)
    assert stage.calls("send")[-1] == ('{"event":"ping"',)


@check("frame.leave")
async def _(stage: Stage, key: str) -> None:
    await stage.press("exclamation_mark", key)
    assert isinstance(top(stage), Inspector)
    assert not stage.calls("send")
