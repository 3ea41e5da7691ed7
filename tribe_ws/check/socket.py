"""One WebSocket connection as a probe uses it: every frame is kept, every close code and refusal is seen.

It reads all the time, so that nothing is lost between two steps, and it judges nothing by itself: ``expect``
and ``silence`` fail the probe, ``need`` and ``subscribe`` only keep it from telling.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tribe_ws.check.evidence import Evidence
from tribe_ws.check.frames import CHATTER, Frame, Meant, describe, matcher, subscribed
from tribe_ws.check.habits import Habits, Pace
from tribe_ws.check.verdict import CannotTell, Failed, Said

_MOST_FRAMES = 20_000


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection ended; code 1006 is the lack of a close frame."""

    code: int
    reason: str

    def __str__(self) -> str:
        return f"{self.code} {self.reason}".strip()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake that was not answered with 101: what the HTTP answer was."""

    status: int
    headers: Mapping[str, str]
    body: str

    def __str__(self) -> str:
        return f"HTTP {self.status} {self.body[:200]}".strip()


class Socket:
    """An open connection of the person ``who``; the stage makes it and closes it at its end."""

    def __init__(
        self,
        connection: ClientConnection,
        who: str,
        evidence: Evidence,
        habits: Habits,
        pace: Pace,
        home: str = "",
    ) -> None:
        self.connection = connection
        self.who = who
        self.frames: list[Frame] = []
        self.close_seen: Close | None = None
        self._marker = habits.marker
        self._home = home
        self._evidence = evidence
        self._habits = habits
        self._pace = pace
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server selected."""
        return self.connection.subprotocol

    # ── Out ───────────────────────────────────────────────────────────────────────────────────────────────

    async def send(self, data: str | bytes, *, as_text: bool | None = None) -> None:
        """Send a text, or bytes as a binary frame (``as_text=True``: as a text frame, whatever they are)."""
        self._evidence.note(self.who, "sent", data)
        try:
            async with asyncio.timeout(self._pace.deadline):
                await self.connection.send(data, text=as_text)
        except ConnectionClosed:
            raise CannotTell(f"the connection of {self.who} had ended: {self._ending()}") from None
        except TimeoutError:
            raise CannotTell(f"the server did not read what {self.who} sent") from None

    async def say(self, event: str, **fields: Any) -> None:
        """Send one event with its fields."""
        await self.send(json.dumps({"event": event, **fields}))

    async def subscribe(self, room: str, **fields: Any) -> None:
        """Subscribe as a precondition: where no acknowledgement comes, the probe cannot tell."""
        await self.say("subscribe", channel="conversation", conversation_id=room, **fields)
        if not self._habits.acknowledges:
            await self.marker()
        else:
            await self.need(
                subscribed(room),
                what=f'"subscribed" for {room}',
            )

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection in an orderly way, within the deadline."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(self._pace.deadline):
                await self.connection.close(code, reason)
        await self.stop()

    async def cut(self) -> None:
        """Drop the connection without a close frame, as a lost network does."""
        self._evidence.note(self.who, "note", "the connection was cut without a close frame")
        self.connection.transport.abort()
        await self.stop()

    async def stop(self) -> None:
        """Stop reading, without a word to the server."""
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader

    # ── In ────────────────────────────────────────────────────────────────────────────────────────────────

    def unread(self, meant: Meant | None = None) -> list[Frame]:
        """Give the frames that are meant (by default all but chatter) and were not dealt with yet."""
        is_meant = matcher(meant)
        return [frame for frame in self.frames if not frame.is_taken and is_meant(frame)]

    async def hear(self, meant: Meant | None = None, *, within: float | None = None) -> Frame | None:
        """Give the next frame that is meant, wherever it stands; ``None`` if it does not come in time."""
        ends_at = time.monotonic() + (self._pace.deadline if within is None else within)
        while True:
            if found := self.unread(meant):
                found[0].is_taken = True
                return found[0]
            left = ends_at - time.monotonic()
            if left <= 0 or self.close_seen is not None:
                return None
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()

    async def expect(self, meant: Meant, *, within: float | None = None, what: str = "") -> Frame:
        """Give the frame that the clause promises; the probe fails if it does not come.

        A server which in that time answers nothing at all is slow rather than wrong: then it cannot tell.
        """
        frame = await self.hear(meant, within=within)
        if frame is None:
            frame = await self._hear_late(meant)
        if frame is None:
            raise Failed(f"{self.who} was to get {what or describe(meant)}, and got {self._heard()}")
        return frame

    async def _hear_late(self, meant: Meant) -> Frame | None:
        """Give a frame that did not come in time, if only because the server is slow.

        A pong that was awaited may pass for the answer to the first marker. The time which the second one
        takes tells how much longer to wait for the next pong: next to none, if nothing was late.
        """
        await self.marker()
        asked = time.monotonic()
        await self.marker()
        return await self.hear(meant, within=2 * (time.monotonic() - asked) + self._pace.grace)

    async def need(self, meant: Meant, *, within: float | None = None, what: str = "") -> Frame:
        """Give a frame that the probe needs to go on, but does not judge."""
        frame = await self.hear(meant, within=within)
        if frame is None:
            said = f"{self.who} got no {what or describe(meant)}, and got {self._heard()}"
            raise CannotTell(f"{said}: without it nothing can be seen")
        return frame

    async def marker(self, otherwise: type[Said] = CannotTell) -> None:
        """Wait until the server has answered something sent now: it has read all that was sent before."""
        seen = len(self.frames)
        match self._marker:
            case "pong":
                question, is_meant = {"event": "ping"}, matcher("pong")
            case "subscribed" if self._home:
                question = {"event": "subscribe", "channel": "conversation", "conversation_id": self._home}
                is_meant = subscribed(self._home)
            case _:
                raise CannotTell("this server answers nothing, so its silence proves nothing")
        ahead = set(map(id, self.frames[:seen]))
        try:
            await self.send(json.dumps(question))
            answer = await self.hear(lambda frame: is_meant(frame) and id(frame) not in ahead)
        except CannotTell:
            answer = None
        if answer is None and await self.end(within=0) is not None:
            raise otherwise(f"the connection of {self.who} ended: {self.close_seen}")
        if answer is None:
            raise CannotTell(f"the server did not answer {self.who} in time; more patience may help")

    def mark_without_pings(self) -> None:
        """Take another marker than a ping, for a probe in which a pong would be something to see."""
        if not self._home or not self._habits.acknowledges:
            raise CannotTell("nothing but a ping could be asked here, and a pong would prove nothing")
        self._marker = "subscribed"

    async def lives_on(self) -> None:
        """Make sure that the connection still works; the probe fails if the server has ended it."""
        await self.marker(otherwise=Failed)

    async def settle(self, meant: Meant | None = None) -> list[Frame]:
        """Give all frames meant that came up to now and a grace later, before the answer to a marker."""
        await asyncio.sleep(self._pace.grace)
        await self.marker()
        found = self.unread(meant)
        for frame in found:
            frame.is_taken = True
        return found

    async def silence(
        self, meant: Meant | None = None, *, lasting: float | None = None, what: str = ""
    ) -> None:
        """Make sure that nothing of what is meant comes, up to a marker sent after the wait.

        By default nothing at all may come, but for chatter. The probe fails at once if something does, and
        cannot tell if the marker is not answered.
        """
        frame = await self.hear(meant, within=self._pace.grace if lasting is None else lasting)
        if frame is None:
            await self.marker()
            frame = await self.hear(meant, within=0)
        if frame is not None:
            raise Failed(f"{self.who} was to get {what or 'nothing'}, and got {_shown(frame)}")

    async def end(self, *, within: float | None = None) -> Close | None:
        """Wait for the end of the connection; ``None`` if it is still open then."""
        ends_at = time.monotonic() + (self._pace.deadline if within is None else within)
        while self.close_seen is None and (left := ends_at - time.monotonic()) > 0:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()
        return self.close_seen

    async def _read(self) -> None:
        try:
            while True:
                data = await self.connection.recv()
                self._evidence.note(self.who, "got", data)
                now = time.monotonic()
                self.frames.append(
                    Frame(data, None, now) if isinstance(data, str) else Frame("", bytes(data), now)
                )
                if len(self.frames) >= _MOST_FRAMES:
                    self.close_seen = Close(1006, f"more than {_MOST_FRAMES} frames came; we stopped reading")
                    break
                self._news.set()
        except ConnectionClosed as closed:
            got = closed.rcvd
            self.close_seen = Close(got.code, got.reason) if got else Close(1006, "")
            self._evidence.note(self.who, "note", f"closed: {self.close_seen}")
        finally:
            self._news.set()

    def _ending(self) -> str:
        return str(self.close_seen or Close(1006, ""))

    def _heard(self) -> str:
        frames = [frame for frame in self.frames if frame.event not in CHATTER and not frame.is_taken]
        if self.close_seen is not None:
            return f"the close {self.close_seen}"
        return f"{_shown(frames[-1])} last" if frames else "nothing"


def _shown(frame: Frame) -> str:
    if frame.data is not None:
        return f"a binary frame of {len(frame.data)} bytes"
    return frame.text if len(frame.text) <= 300 else f"{frame.text[:300]}…"


def texts(frames: Sequence[Frame]) -> str:
    """Show frames, one after the other, in a reason."""
    return " ".join(map(_shown, frames)) or "nothing"
