"""The seam between what was missed and what comes live: every message once and in order, whatever happens.

Commits, their announcement, reads of the database, cuts and resumes come in any order; frames may be lost on
their way when a connection is cut. The client keeps nothing but the number of the last message it saw.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.socket_stage import ROOM, Cast
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.packet import Batch
from tribe_ws.protocol.close_codes import CloseCode
from tribe_ws.protocol.frames import MessageNew, NewMessage, Sender
from tribe_ws.protocol.frames_v2 import Stamp
from tribe_ws.protocol.profiles import Profile
from tribe_ws.protocol.session import SessionLimits
from tribe_ws.protocol.session_v2 import SessionV2
from tribe_ws.server.visit_v2 import VisitV2
from tribe_ws.settings import ServerSettings

LOST_AT_MOST = 3
STEPS = st.lists(
    st.sampled_from(["commit", "commit", "announce", "announce", "read", "read", "turn", "cut", "again"])
    | st.tuples(st.just("cut"), st.integers(1, LOST_AT_MOST)),
    max_size=60,
)


class Wire:
    """A way to the client that takes everything at once, until it is cut."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.is_cut = False

    def send(self, batch: Batch) -> bool:
        if not self.is_cut:
            self.frames.extend(json.loads(packet.payload) for packet in batch.packets)
        return False

    def waiting(self) -> tuple[int, int]:
        return 0, 0

    def close(self, close_code: CloseCode) -> None:  # noqa: ARG002 - whatever the reason
        self.is_cut = True

    def reset(self) -> None:
        self.is_cut = True


class SlowCast(Cast):
    """Services whose database answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(ServerSettings())
        self.answers = asyncio.Semaphore(0)
        self.is_slow = True

    async def _wait(self) -> None:
        if self.is_slow:
            await self.answers.acquire()


class Story:
    """One client, which comes back as often as it is cut off."""

    def __init__(self) -> None:
        self.cast = SlowCast()
        self.announced = 0
        self.seen: list[int] = []
        self.visits: list[asyncio.Task[None]] = []
        self.wire: Wire | None = None
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @property
    def stored(self) -> list[tuple[MessageNew, Stamp]]:
        return self.cast.stored.setdefault(ROOM, [])

    def commit(self) -> None:
        number = len(self.stored) + 1
        sender = Sender(id="ben", username="ben", full_name="Ben", profile_image_url=None)
        data = NewMessage(
            id=f"m{number}",
            conversation_id=ROOM,
            sender=sender,
            content="",
            message_type="text",
            created_at="t",
        )
        self.stored.append((MessageNew(conversation_id=ROOM, data=data), Stamp(number)))

    def announce(self) -> None:
        if self.announced < len(self.stored):
            frame, stamp = self.stored[self.announced]
            self.announced += 1
            self.cast.hub.publish(ROOM, frame, exclude_user="ben", stamp=stamp)

    async def again(self) -> None:
        """Connect if there is no connection, and ask again from the last number seen in any case."""
        if self.wire is None:
            await self._connect()
        position = self._read()[-1:] or [0]
        frame = {
            "event": "subscribe",
            "conversation_id": ROOM,
            "after_seq": position[0],
            "epoch": self.cast.epoch,
        }
        self.inbox.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    async def _connect(self) -> None:
        self.wire, self.inbox = Wire(), asyncio.Queue()
        connection = Connection(user_id="ana", user_name="Ana", profile=Profile.V2, transport=self.wire)
        session = SessionV2(Profile.V2, SessionLimits(frames=0))
        slow, self.cast.is_slow = self.cast.is_slow, False
        identity = await self.cast.authenticate("ana")
        self.cast.is_slow = slow
        visit = VisitV2(self.cast, connection, session, self.inbox.get, identity)
        self.visits.append(asyncio.create_task(visit.run()))

    def cut(self, lost: int) -> None:
        if self.wire is None:
            return
        self.wire.is_cut = True
        self.inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})
        seen = self._read(keep=max(0, len(self.wire.frames) - lost))
        self.seen, self.wire = seen, None

    def _read(self, keep: int | None = None) -> list[int]:
        """Tell every number seen so far, over all connections."""
        frames = self.wire.frames[:keep] if self.wire is not None else []
        assert all(frame["data"]["recovered"] for frame in frames if frame["event"] == "subscribed")
        return self.seen + [frame["data"]["seq"] for frame in frames if frame["event"] == "message.new"]

    async def settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    async def end(self) -> list[int]:
        """Let everything come to rest, with a client that is connected."""
        self.cast.is_slow = False
        for _ in range(500):
            self.cast.answers.release()
        await self.again()
        await self.settle()
        # What was committed, and perhaps sent already as missed, is announced only now.
        while self.announced < len(self.stored):
            self.announce()
        for _ in range(6):
            await self.settle()
        seen = self._read()
        self.cut(0)
        await asyncio.wait_for(asyncio.gather(*self.visits), 10)
        self.cast.clock.advance(20)
        assert self.cast.hub.is_empty, self.cast.hub.footprint()
        await self.cast.hub.stop()
        return seen


async def play(steps: list[Any]) -> tuple[list[int], int]:
    story = Story()
    for step in steps:
        match step:
            case "commit":
                story.commit()
            case "announce":
                story.announce()
            case "read":
                story.cast.answers.release()
                await story.settle()
            case "turn":
                await story.settle()
            case "again":
                await story.again()
            case "cut":
                story.cut(0)
            case ("cut", int(lost)):
                story.cut(lost)
    return await story.end(), len(story.stored)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_every_message_comes_once_and_in_order_however_a_client_is_cut_off(steps: list[Any]) -> None:
    seen, stored = asyncio.run(play(steps))
    assert seen == list(range(1, stored + 1))
