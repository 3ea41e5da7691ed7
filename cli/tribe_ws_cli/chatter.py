"""Bob and cara, scripted: they chat, type and come and go, so that there is something to inspect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tribe_ws.client.client import TribeClient
from tribe_ws.client.events import Event
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id
from tribe_ws.errors import TribeError
from tribe_ws.protocol.urls import ServerAddress

GENERAL = fixture_id("conversation:general")
_THANKS_AFTER = 1.5


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody says, how long they type it, and how long it is quiet after that."""

    who: str
    text: str
    typing: float = 1.6
    pause: float = 2.5


SCRIPT: tuple[Line, ...] = (
    Line("bob", "Morning! Did the deploy land?"),
    Line("cara", "Ten minutes ago. The logs look clean.", 2.2),
    Line("bob", "Great. I am watching the typing indicator on my phone", 2.6),
    Line("cara", "Mine goes away after six seconds, as it should", 2.0),
    Line("bob", "Does anybody get their own messages back?", 1.8),
    Line("cara", "No, the sender is excluded. Try it: press i and write something", 3.0, 6.0),
    Line("bob", "👍 and with umlauts, too: Grüße, 你好", 1.6),
    Line("cara", "Press Enter on a line to take the event apart", 2.2, 5.0),
    Line("bob", "Press t, and you see my side of it as well", 2.0, 5.0),
    Line("cara", "Press f for faults: then messages get lost, for a test", 2.4, 7.0),
)
"""It begins anew when it is over."""


@asynccontextmanager
async def chatting(address: ServerAddress, *, pace: float = 1.0) -> AsyncIterator[None]:
    """Let bob and cara chat for the length of an ``async with``; a larger ``pace`` is slower."""
    async with AsyncExitStack() as stack:
        people = {}
        for name in ("bob", "cara"):
            client = TribeClient.login(address, demo_email(name), DEMO_PASSWORD)
            people[name] = await stack.enter_async_context(client)
            await people[name].subscribe(GENERAL)
        tasks = [
            asyncio.create_task(_converse(people, pace)),
            asyncio.create_task(_thank(people["bob"], pace)),
            asyncio.create_task(_listen(people["cara"])),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _converse(people: dict[str, TribeClient], pace: float) -> None:
    while True:
        for line in SCRIPT:
            await _say(people[line.who], line, pace)
            await asyncio.sleep(line.pause * pace)


async def _say(person: TribeClient, line: Line, pace: float) -> None:
    """Type and send; what a fault or a restart spoils is said the next time."""
    try:
        await person.typing(GENERAL, True)
        await asyncio.sleep(line.typing * pace)
        await person.typing(GENERAL, False)
        await person.send(GENERAL, line.text)
    except TribeError:
        await asyncio.sleep(pace)


async def _thank(person: TribeClient, pace: float) -> None:
    """Answer what alice writes, so that nobody speaks into the void."""
    async for event in person.events():
        if _is_from_alice(event):
            await asyncio.sleep(_THANKS_AFTER * pace)
            await _say(person, Line("bob", "Got it, alice!", 1.0), pace)


async def _listen(person: TribeClient) -> None:
    async for _event in person.events():
        pass


def _is_from_alice(event: Event) -> bool:
    sender = event.data.get("sender")
    return event.name == "message.new" and isinstance(sender, dict) and sender.get("username") == "alice"
