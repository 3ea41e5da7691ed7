"""``Tap``: follows everything on the wires of a local server: a lane per connection, a verdict per recipient.

The server's journal tells each frame once, with what became of it for every connection; here each connection
concerned gets an event of its own, and for every message it is remembered who did not get it and why.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from textual.message import Message

from tribe_ws.capture.names import Names
from tribe_ws.capture.record import Record
from tribe_ws.capture.tap import TapReader, Verdict, verdicts_of
from tribe_ws.client.backoff import Backoff
from tribe_ws.client.control import ControlClient
from tribe_ws.clock import Clock, SystemClock
from tribe_ws.errors import TribeError
from tribe_ws_tui.inspection import Inspection, message_id_of
from tribe_ws_tui.messages import Broke, TapMoved

MOST_MESSAGES = 10_000
"""Messages whose verdicts are remembered."""
MOST_LANES = 1_000
_STOPS_WITHIN = 5.0
_IN_A_ROW = 200


class Tap:
    """Follows one local server until ``stop``, over its restarts; ``post`` hears ``TapMoved``."""

    def __init__(
        self,
        control: ControlClient,
        inspection: Inspection,
        post: Callable[[Message], object],
        *,
        clock: Clock | None = None,
    ) -> None:
        self.names = Names((), "")
        self.lanes: dict[str, None] = {}
        self.is_watching = False
        self._control = control
        self._inspection = inspection
        self._post = post
        self._clock = clock or SystemClock()
        self._reader = TapReader(name_of=self._name_of)
        self._verdicts: OrderedDict[str, list[Verdict]] = OrderedDict()
        self._newest: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow, in a task of its own."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="tap")

    async def stop(self) -> None:
        """End it; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=_STOPS_WITHIN)

    def verdicts(self, number: int) -> tuple[Verdict, ...]:
        """Tell for the message of an event who got it and who did not, with the reason in words."""
        record = self._inspection.store.record(number)
        message_id = message_id_of(record) if record is not None else ""
        return tuple(self._verdicts.get(message_id, ()))

    def take(self, event: dict[str, Any]) -> None:
        """Take one line of the server's journal."""
        labels = self._reader
        closing = labels.label_of(str(event.get("connection_id"))) if event.get("event") == "closed" else ""
        for record in labels.records_of(event):
            label = labels.label_of(record.connection) or closing or record.connection
            self._hold(record, label)
        if event.get("dir") == "out" and event.get("event") == "message.new":
            self._remember(event)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._follow(backoff)
                words = "the server has stopped; the tap waits for it"
            except TribeError as error:
                words = f"the tap was lost: {error}"
            except Exception as error:  # noqa: BLE001 - a bug of ours: it is told, and the tap begins anew
                self._post(Broke(error))
                words = "the tap begins anew"
            self.is_watching = False
            self._post(TapMoved(words))
            await self._clock.sleep(max(0.5, backoff.next_delay()))

    async def _follow(self, backoff: Backoff) -> None:
        count = 0
        # Closed here and not by the collector: it holds a connection.
        async with aclosing(self._control.events()) as events:
            async for event in events:
                if event.get("event") == "watching":
                    backoff.reset()
                    self.is_watching = True
                    self._post(TapMoved())
                    continue
                self.take(event)
                count += 1
                if count % _IN_A_ROW == 0:
                    await asyncio.sleep(0)

    def _name_of(self, conversation_id: str | None) -> str:
        """Name a conversation as one's own session does; else the server's own name of it is taken."""
        return self.names.short(conversation_id)

    def _hold(self, record: Record, lane: str) -> None:
        if lane and lane not in self.lanes and len(self.lanes) < MOST_LANES:
            self.lanes[lane] = None
            self._post(TapMoved())
        if not record.conversation and record.conversation_id:
            record = replace(record, conversation=record.conversation_id[:8])
        self._inspection.take(record, lane=lane)

    def _remember(self, event: dict[str, Any]) -> None:
        frame = event.get("frame")
        data = frame.get("data") if isinstance(frame, dict) else None
        message_id = data.get("id") if isinstance(data, dict) else None
        if not isinstance(message_id, str) or not message_id:
            return
        known = self._verdicts.setdefault(message_id, [])
        for one in verdicts_of(event):
            label = self._reader.label_of(one.connection)
            known.append(replace(one, connection=label) if label else one)
        while len(self._verdicts) > MOST_MESSAGES:
            self._verdicts.popitem(last=False)
