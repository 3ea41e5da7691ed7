"""The inspector on a stage: fake sessions, a clock that stands still, and what is on the screen as text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from textual._compositor import Compositor
from textual.pilot import Pilot

from tests.tui.fake_session import GENERAL, START, USERS, FakeSession
from tests.tui.waiting import until
from tribe_ws.client.rest import RestClient
from tribe_ws.clock import ManualClock
from tribe_ws.errors import AuthenticationError
from tribe_ws.protocol.urls import parse_address
from tribe_ws_tui.absent import NoSession
from tribe_ws_tui.app import InspectorApp
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.screens.inspector import Inspector
from tribe_ws_tui.setup import InspectorSetup
from tribe_ws_tui.state import Link

NARROW, MEDIUM, WIDE = (80, 24), (120, 40), (200, 60)
ADDRESS = parse_address("http://127.0.0.1:8000")
PASSWORD = "Tribe-demo-1"


@dataclass
class Stage:
    """An inspector that runs, and everything a test reaches for."""

    app: InspectorApp
    pilot: Pilot[None]
    clock: ManualClock
    inspection: Inspection
    sessions: dict[str, FakeSession] = field(default_factory=dict)

    @property
    def screen(self) -> Inspector:
        return self.app.inspector

    @property
    def alice(self) -> FakeSession:
        return self.sessions["A"]

    @property
    def bob(self) -> FakeSession:
        return self.sessions["B"]

    @property
    def log(self) -> Any:
        return self.screen.log_view

    def shown(self) -> str:
        """Give what is on the screen, as text."""
        return screen_text(self.app)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def settle(self) -> None:
        """Draw everything anew, and wait until that is done."""
        for pane in self.screen.panes:
            pane.log_view.flush()
        self.screen.refresh_all()
        await self.pilot.pause()

    async def sees(self, text: str) -> None:
        """Wait until a text is on the screen."""
        try:
            await until(lambda: text in self.shown())
        except TimeoutError:
            raise AssertionError(f"{text!r} is not on the screen:\n{self.shown()}") from None

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(condition)

    def calls(self, name: str, label: str = "A") -> list[Any]:
        """Give what a session was asked to do under that name."""
        return [call[1:] for call in self.sessions[label].calls if call[0] == name]


def screen_text(app: InspectorApp) -> str:
    """Give the screen row by row; the only place that knows how Textual keeps it."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def drawing_nothing() -> Any:
    """Draw only what a test looks at, by ``screen_text``: drawing each change is half the time of a test."""

    def render_update(compositor: Compositor, *_: Any, **__: Any) -> None:
        compositor._dirty_regions.clear()

    return patch.object(Compositor, "render_update", render_update)


async def refuse(username: str, password: str | None) -> RestClient:
    """Log in with the right password only."""
    if password != PASSWORD:
        raise AuthenticationError(f'not logged in to "local" as {username}', hint="tribe-ws login")
    return RestClient(ADDRESS, "token")


@asynccontextmanager
async def staged(
    size: tuple[int, int] = MEDIUM,
    *,
    users: tuple[str, ...] = ("alice",),
    stays_away: Link | None = None,
    subscribed: bool = True,
    draws: bool = False,
    **setup: Any,
) -> AsyncIterator[Stage]:
    """Run an inspector with fake sessions for the length of an ``async with``.

    ``draws`` says whether each change is drawn as in a terminal, where a test is about that.
    """
    clock = ManualClock(START)
    inspection = Inspection(keep=1000)
    sessions: dict[str, FakeSession] = {}

    def open_session(label: str, username: str) -> Any:
        if not username:
            return NoSession(label)
        post = app.inspector.post_message
        away = None if sessions else stays_away
        sessions[label] = FakeSession(label, username, inspection, post, clock, stays_away=away)
        return sessions[label]

    chosen = InspectorSetup(ADDRESS, refuse, known_users=tuple(USERS), users=users, **setup)
    app = InspectorApp(chosen, inspection, open_session, is_sturdy=False)
    drawing = nullcontext() if draws else drawing_nothing()
    with drawing:
        async with app.run_test(size=size, notifications=True) as pilot:
            stage = Stage(app, pilot, clock, inspection, sessions)
            await pilot.pause()
            if users and stays_away is None:
                await until(lambda: bool(sessions) and sessions["A"].state.link.is_open)
                if subscribed:
                    for session in sessions.values():
                        session.subscribe(GENERAL)
            await stage.settle() if users else await pilot.pause()
            yield stage


def conversation(stage: Stage) -> None:
    """Let a short conversation happen: typing, messages, one of them broken, a heartbeat."""
    clock, alice = stage.clock, stage.alice
    clock.advance(2)
    alice.hear_typing("bob", True)
    clock.advance(2)
    alice.hear_message("bob", "Morning! Did the deploy land?")
    clock.advance(1)
    alice.say(GENERAL, "yes, 10 minutes ago")
    clock.advance(5)
    alice.ping()
    clock.advance(1)
    alice.hear_message("bob", "looks good", created_at="2026-11-23 01:22")
    clock.advance(0.5)
    alice.hear_typing("cara", True)
    clock.advance(3)
