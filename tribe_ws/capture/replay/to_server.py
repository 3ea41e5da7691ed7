"""Plays a capture to a server, as the clients that were recorded, and tells what is not as it was then.

It takes a base URL and logins, and returns a value; it never prints. Nothing in it waits without an end: an
answer that does not come costs the patience one gives, and after ``most_differences`` it gives up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, assert_never
from urllib.parse import parse_qsl, urlsplit

from tribe_ws.capture.record import Record, compact_json
from tribe_ws.capture.replay.difference import Difference, compare_bodies, what
from tribe_ws.capture.replay.line import Line
from tribe_ws.capture.replay.places import missing_here, recognise
from tribe_ws.capture.replay.remap import Renaming
from tribe_ws.capture.replay.script import (
    Call,
    Close,
    Expect,
    ExpectClose,
    Key,
    Open,
    Script,
    Send,
    Step,
    write_script,
)
from tribe_ws.capture.replay.world import World
from tribe_ws.client.connection import open_connection
from tribe_ws.client.options import Timeouts
from tribe_ws.client.rest import RestClient
from tribe_ws.clock import SystemClock, new_id
from tribe_ws.errors import ApiError, AuthenticationError, CannotConnect, ConnectionLost, TribeError
from tribe_ws.protocol.urls import API_PREFIX, HIDDEN

LogIn = Callable[[str], Awaitable[RestClient]]
"""Gives the REST client of a user of the server, logged in."""

SETTLE = 0.4
"""Seconds in which something extra may still come when all is played."""

LONGEST_GAP = 15.0
"""No answer is waited for longer than this and the patience, however long it took when it was recorded."""


@dataclass(frozen=True, slots=True)
class ServerReplayOptions:
    """How a capture is played to a server; durations are seconds.

    ``users`` renames people. ``speed`` 0 leaves out every pause, which also changes what depends on time (a
    repeated ``typing`` within a second is none). ``max_pause`` cuts longer pauses.
    """

    speed: float = 1.0
    max_pause: float | None = 2.5
    patience: float = 5.0
    most_differences: int = 100
    users: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerReplay:
    """What came of it; ``late`` are frames which came after others that were recorded later."""

    differences: tuple[Difference, ...]
    frames: int
    calls: int
    sent: int
    late: int
    users: tuple[str, ...]
    left_out: Mapping[str, int]
    seconds: float
    gave_up: bool = False

    @property
    def is_same(self) -> bool:
        """Whether nothing differed but ids and times."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """Give the form for scripts."""
        return {
            "v": 1, "differences": len(self.differences), "frames": self.frames, "calls": self.calls,
            "sent": self.sent, "late": self.late, "users": list(self.users), "left_out": dict(self.left_out),
            "seconds": round(self.seconds, 3), "gave_up": self.gave_up,
        }  # fmt: skip


async def replay_to_server(
    records: Iterable[Record],
    log_in: LogIn,
    options: ServerReplayOptions | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    on_difference: Callable[[Difference], None] | None = None,
) -> ServerReplay:
    """Play a capture to the server that ``log_in`` leads to, and tell the differences.

    Raises what ``log_in`` raises, and ``NotFound`` for a conversation that does not exist there.
    """
    everything = tuple(records)
    script = write_script(everything)
    player = _Player(script, World(everything), log_in, options or ServerReplayOptions())
    player.on_step, player.on_difference = on_step, on_difference
    async with AsyncExitStack() as stack:
        stack.push_async_callback(player.close)
        return await player.play()


class _GaveUp(Exception):
    """There are more differences than anybody reads."""


class _Player:
    def __init__(self, script: Script, world: World, log_in: LogIn, options: ServerReplayOptions) -> None:
        self.on_step: Callable[[Step], None] | None = None
        self.on_difference: Callable[[Difference], None] | None = None
        self._script = script
        self._world = world
        self._log_in = log_in
        self._options = options
        self._renaming = Renaming(options.users)
        self._rest: dict[str, RestClient] = {}
        self._lines: dict[Key, Line] = {}
        self._dead: set[Key] = set()
        self._differences: list[Difference] = []
        self._missing: list[tuple[Line, Expect]] = []
        self._impatient: set[Key] = set()
        self._finished: set[Key] = set()
        self._recorded = {step.connection[0] for step in script.steps if isinstance(step, Open)}
        self._counts = {"frames": 0, "calls": 0, "sent": 0, "late": 0}

    async def play(self) -> ServerReplay:
        began = time.monotonic()
        gave_up = False
        try:
            await self._arrive()
            await self._play_steps()
            await self._settle()
        except _GaveUp:
            gave_up = True
        self._differences.sort(key=lambda one: one.line)
        users = tuple(self._renaming.user(user) for user in self._script.users)
        seconds = time.monotonic() - began
        return ServerReplay(
            tuple(self._differences), **self._counts, users=users, left_out=self._script.left_out,
            seconds=seconds, gave_up=gave_up,
        )  # fmt: skip

    async def close(self) -> None:
        await asyncio.gather(*(line.close() for line in self._lines.values()), return_exceptions=True)

    async def _arrive(self) -> None:
        """Log everybody in and find out what things are called here."""
        present = {}
        for user in self._script.users:
            self._rest[user] = await self._log_in(self._renaming.user(user))
            present[user] = await self._rest[user].all_conversations()
            me = await self._rest[user].me()
            if (person := self._world.person(user)) is not None:
                self._renaming.bind(person.id, me.id)
        recognise(self._world, {user: tuple(theirs) for user, theirs in present.items()}, self._renaming)
        begun = [
            str(step.record.frame.get("id"))
            for step in self._script.steps
            if isinstance(step, Call) and isinstance(step.record.frame, dict)
        ]
        if (error := missing_here(self._world, self._renaming, begun)) is not None:
            raise error

    async def _play_steps(self) -> None:
        before: Step | None = None
        done_at = time.monotonic()
        for step in self._script.steps:
            gap = (step.at - before.at).total_seconds() if before else 0.0
            if not isinstance(step, Expect | ExpectClose):
                self._judge_the_finished()
                await asyncio.sleep(max(0.0, self._pause(gap) - (time.monotonic() - done_at)))
            if self.on_step is not None:
                self.on_step(step)
            for line in self._lines.values():
                line.now_at_line = step.line
            await self._do(step, min(max(gap, 0.0), LONGEST_GAP))
            before, done_at = step, time.monotonic()

    def _pause(self, gap: float) -> float:
        options = self._options
        if options.speed == 0:
            return 0.0
        return min(max(gap, 0.0), gap if options.max_pause is None else options.max_pause) / options.speed

    async def _do(self, step: Step, gap: float) -> None:
        match step:
            case Open():
                await self._open(step)
            case Send():
                await self._send(step)
            case Call():
                await self._call(step)
            case Expect():
                await self._expect(step, gap)
            case ExpectClose():
                await self._expect_close(step, gap)
            case Close():
                await self._close(step.connection)
            case _:
                assert_never(step)  # type: ignore[arg-type]

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _open(self, step: Open) -> None:
        rest = self._rest[step.user]
        assert rest.source is not None
        try:
            connection = await open_connection(
                rest.address,
                await rest.source.current(),
                clock=SystemClock(),
                timeouts=Timeouts(connected=self._options.patience),
                offers_v2=step.is_v2,
            )
        except (ConnectionLost, AuthenticationError, CannotConnect) as error:
            self._dead.add(step.connection)
            self._differs("closed", step, f"could not connect: {error}")
            return
        self._dead.discard(step.connection)
        self._lines[step.connection] = Line(self._renaming.user(step.user), connection)

    async def _send(self, step: Send) -> None:
        line = self._lines.get(step.connection)
        if line is None or line.ending is not None:
            self._lost(step, step.connection)
            return
        try:
            await line.send(self._frame(step.record, await self._token(step)))
        except TribeError:
            self._lost(step, step.connection)
            return
        self._counts["sent"] += 1

    async def _token(self, step: Send) -> str:
        source = self._rest[step.user].source
        return await source.current() if source and step.record.event == "auth" else ""

    def _frame(self, record: Record, token: str) -> str:
        """Say a recorded frame as it is said here."""
        frame, renaming = record.frame, self._renaming
        if not isinstance(frame, dict) or not frame.keys() & {"token", "after_seq", "epoch"}:
            return renaming.text(record.text)
        said = dict(renaming.apply(frame))
        if said.get("token") == HIDDEN and token:
            said["token"] = token
        if isinstance(said.get("epoch"), str):
            said["epoch"] = renaming.name(f"epoch:{said['epoch']}").removeprefix("epoch:")
        if isinstance(said.get("after_seq"), int):
            said["after_seq"] = renaming.number(str(record.conversation_id), said["after_seq"])
        return compact_json(said)

    async def _call(self, step: Call) -> None:
        record, self._counts["calls"] = step.record, self._counts["calls"] + 1
        parts = urlsplit(self._renaming.text(record.path))
        body = self._renaming.apply(record.request) if isinstance(record.request, dict) else None
        if body and isinstance(body.get("client_message_id"), str):
            # The same key again would be a repetition, which sends nothing to anybody.
            new = new_id()
            self._renaming.bind(body["client_message_id"], new)
            body["client_message_id"] = new
        try:
            answer = await self._rest[step.user].call(
                record.method,
                parts.path.removeprefix(API_PREFIX),
                body=body,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            )
        except ApiError as error:
            self._compare_status(step, error.status, str(error))
        except AuthenticationError as error:
            self._compare_status(step, 401, str(error))
        else:
            self._compare_status(step, answer.status, "")
            if (record.status or 200) < 400:
                self._compare_answer(step, answer.body)

    def _compare_status(self, step: Call, status: int, said: str) -> None:
        recorded = step.record.status
        if recorded is not None and status != recorded:
            why = f" ({said})" if said else ""
            words = f"{step.record.event}: recorded {recorded}, got {status}{why}"
            self._differs("status", step, words)

    def _compare_answer(self, step: Call, body: Any) -> None:
        """Compare what a call made; what one that only reads gives, depends on what was there before."""
        if step.record.method == "GET":
            return
        changes = compare_bodies(step.record.frame, body, self._renaming)
        if step.is_partly_known:
            stored = body.get("id") if isinstance(body, dict) else None
            self._renaming.bind(str(step.record.frame.get("id")), str(stored))
        elif changes:
            self._differs("changed", step, f"the answer to {step.record.event} differs", changes)

    # ── waiting ───────────────────────────────────────────────────────────────────────────────────────────

    async def _expect(self, step: Expect, gap: float) -> None:
        self._counts["frames"] += 1
        if step.is_last:
            self._finished.add(step.connection)
        line = self._lines.get(step.connection)
        if line is None:
            self._differs("missing", step, f"{what(step.record)} did not come")
            return
        is_impatient = step.connection in self._impatient
        patience = self._options.patience / 4 if is_impatient else self._options.patience
        arrival = await line.find(step.record, self._renaming, gap + patience)
        if arrival is None:
            self._impatient.add(step.connection)
            self._missing.append((line, step))
            if len(self._missing) + len(self._differences) >= self._options.most_differences:
                self._reconcile()
            return
        self._impatient.discard(step.connection)
        self._check_order(line, step, arrival.number)

    def _check_order(self, line: Line, step: Expect, number: int) -> None:
        if step.record.event != "message.new" or not step.record.conversation_id:
            return
        newest = line.newest.get(step.record.conversation_id, 0)
        if number < newest:
            self._differs("order", step, f"{what(step.record)} came before a message that was sent earlier")
        line.newest[step.record.conversation_id] = max(number, newest)

    async def _expect_close(self, step: ExpectClose, gap: float) -> None:
        line = self._lines.get(step.connection)
        if line is None:
            return
        is_over = await line.ended(gap + self._options.patience)
        code = line.close_code
        reason = getattr(line.ending, "reason", "")
        if not is_over:
            self._differs("closed", step, f"recorded close {step.code}, the connection stays open")
        elif code != step.code or (step.reason and reason != step.reason):
            got = f'{code} "{reason}"' if reason else str(code)
            recorded = f'{step.code} "{step.reason}"' if step.reason else str(step.code)
            self._differs("closed", step, f"recorded close {recorded}, got {got}")
        await self._close(step.connection)

    async def _close(self, key: Key) -> None:
        if (line := self._lines.pop(key, None)) is not None:
            self._take_late(line)
            self._report_extra(line)
            await line.close()

    def _lost(self, step: Send, key: Key) -> None:
        if key not in self._dead:
            self._dead.add(key)
            line = self._lines.get(key)
            why = line.ending if line is not None else "it never came about"
            self._differs("closed", step, f"cannot send {step.record.event}: the connection is over ({why})")

    # ── judging ───────────────────────────────────────────────────────────────────────────────────────────

    def _judge_the_finished(self) -> None:
        """Report what came too much over connections of which no more is recorded.

        That is before something is done which may bring more: nobody knows whether they were open then.
        """
        for key in self._finished:
            if (line := self._lines.get(key)) is not None and line.is_judged:
                self._take_late(line)
                self._report_extra(line)
                line.is_judged = False
        self._finished.clear()

    async def _settle(self) -> None:
        await asyncio.sleep(SETTLE)
        self._reconcile()
        for line in self._lines.values():
            if line.is_judged:
                self._report_extra(line)

    def _reconcile(self) -> None:
        """Settle what was missed with what came after all, and report the rest."""
        for line in {id(line): line for line, _ in self._missing}.values():
            self._take_late(line)

    def _take_late(self, line: Line) -> None:
        missed = [step for other, step in self._missing if other is line]
        self._missing = [(other, step) for other, step in self._missing if other is not line]
        still = []
        for step in missed:
            if (arrival := line.take(step.record, self._renaming)) is not None:
                self._counts["late"] += 1
                self._check_order(line, step, arrival.number)
            else:
                still.append(step)
        for step in still:
            if (found := line.take_like(step.record, self._renaming)) is not None:
                self._differs("changed", step, f"{what(step.record)} differs", found[1])
            else:
                self._differs("missing", step, f"{what(step.record)} did not come")

    def _report_extra(self, line: Line) -> None:
        for arrival in line.waiting:
            event = arrival.event
            if event.name == "presence" and not self._is_recorded(event.data.get("user_id")):
                continue
            words = f"{event.name or 'a frame'} came, which was not recorded: {event.text[:120]}"
            self._add(Difference("extra", arrival.after_line, line.user, event.name, words))
        line.waiting.clear()

    def _is_recorded(self, user_id: object) -> bool:
        person = self._world.people.get(self._renaming.old_name(str(user_id)))
        return person is not None and person.username in self._recorded

    def _differs(self, kind: Any, step: Step, words: str, changes: tuple[Any, ...] = ()) -> None:
        record = getattr(step, "record", None)
        event = record.event if record is not None else ""
        self._add(Difference(kind, step.line, self._renaming.user(step.user), event, words, changes))

    def _add(self, difference: Difference) -> None:
        self._differences.append(difference)
        if self.on_difference is not None:
            self.on_difference(difference)
        if len(self._differences) >= self._options.most_differences:
            raise _GaveUp
