"""Draws the pictures of the inspector for the README and for reviewers: ``nox -s pictures``."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.tui.fake_session import GENERAL
from tests.tui.stage import MEDIUM, NARROW, WIDE, Stage, conversation, staged
from tribe_ws.client.events import Lost, Reconnecting

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
Draw = Callable[[Stage], Awaitable[None]]


async def talk(stage: Stage) -> None:
    """Let people talk, and one message break the contract."""
    conversation(stage)
    stage.alice.hear_typing("bob", False)
    stage.alice.hear_message("cara", "The logs look clean. 👍")
    stage.clock.advance(1)
    stage.alice.hear_typing("bob", True)
    stage.clock.advance(2)
    await stage.settle()


async def overview(stage: Stage) -> None:
    """The whole of it, a broken message opened."""
    await talk(stage)
    await stage.press("V")


async def event(stage: Stage) -> None:
    """The opened event on a narrow screen."""
    await talk(stage)
    await stage.press("V", "enter")


async def two_users(stage: Stage) -> None:
    """Two users on one time axis."""
    clock, alice, bob = stage.clock, stage.alice, stage.bob
    for text, sender, receiver in (
        ("Does this arrive?", alice, bob),
        ("It does, after 11 ms", bob, alice),
        ("And your own is not echoed", alice, bob),
    ):
        clock.advance(2)
        sender.typing(GENERAL, True)
        receiver.hear_typing(sender.username, True)
        clock.advance(2)
        receiver.hear_message(sender.username, text)
        clock.advance(0.003)
        sender.say(GENERAL, text)
    await stage.settle()
    await stage.press("up")


async def help_screen(stage: Stage) -> None:
    """All keys, searched."""
    await talk(stage)
    await stage.press("question_mark", *"view")


async def reconnecting(stage: Stage) -> None:
    """The connection is lost, and the filter tells what it hides."""
    await talk(stage)
    stage.alice.hear_notice(Lost(stage.clock.now(), 1006, "", "no close frame"))
    stage.alice.hear_notice(Reconnecting(stage.clock.now(), 2, 4.0))
    stage.screen.set_filter("!event:typing")
    await stage.settle()


async def light(stage: Stage) -> None:
    """The light theme, and a command being completed."""
    await talk(stage)
    await stage.press("D", "i", *"/s")


PICTURES: tuple[tuple[str, tuple[int, int], tuple[str, ...], Draw], ...] = (
    ("inspector", MEDIUM, ("alice",), overview),
    ("event", NARROW, ("alice",), event),
    ("two-users", WIDE, ("alice", "bob"), two_users),
    ("help", MEDIUM, ("alice",), help_screen),
    ("reconnecting", NARROW, ("alice",), reconnecting),
    ("light", MEDIUM, ("alice",), light),
)


async def draw(folder: Path) -> list[Path]:
    """Draw all pictures into a folder."""
    drawn = []
    for name, size, users, act in PICTURES:
        async with staged(size, users=users, draws=True) as stage:
            await act(stage)
            await stage.settle()
            path = folder / f"{name}.svg"
            path.write_text(steady(stage.app.export_screenshot(title="tribe-ws tui")), "utf-8")
            drawn.append(path)
    return drawn


def steady(svg: str) -> str:
    """Take out what differs from run to run, and the fonts that a reader's machine would have to fetch."""
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def main() -> None:
    """Draw the pictures where they are kept."""
    os.environ["TZ"] = "UTC"
    os.environ.pop("NO_COLOR", None)
    time.tzset()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in asyncio.run(draw(FOLDER)):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
