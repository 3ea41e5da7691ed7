"""Plays a capture to a server, as the clients that were recorded, and tells what is not as it was then.

It takes a base URL and logins, and returns a value; it never prints. Nothing in it waits without an end: an
answer that does not come costs the patience one gives, and after ``most_differences`` it gives up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any, assert_never
from urllib.parse import parse_qsl, urlsplit

from tribe_ws.capture.record import Record, compact_json
from tribe_ws.capture.replay.difference import compare_bodies, what
from tribe_ws.capture.replay.judge import GaveUp, Judge
from tribe_ws.capture.replay.line import Line
from tribe_ws.capture.replay.places import missing_here, recognise
from tribe_ws.capture.replay.remap import Renaming
from tribe_ws.capture.replay.result import ServerReplay, ServerReplayOptions
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


async def replay_to_server(
    records: Iterable[Record],
    log_in: LogIn,
    options: ServerReplayOptions | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
) -> ServerReplay:
    """Play a capture to the server that ``log_in`` leads to, and tell the differences.

    Raises what ``log_in`` raises, and ``NotFound`` for a conversation that does not exist there.
    """
    everything = tuple(records)
    script = write_script(everything)
    player = _Player(script, World(everything), log_in, options or ServerReplayOptions())
    player.on_step = on_step
    async with AsyncExitStack() as stack:
        stack.push_async_callback(player.close)
        return await player.play()


def frame_here(record: Record, renaming: Renaming, token: str) -> str:
    """Say a recorded frame as it is said here; ``token`` stands in for one that was taken out."""
    frame = record.frame
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


class _Player:
    def __init__(self, script: Script, world: World, log_in: LogIn, options: ServerReplayOptions) -> None:
        self.on_step: Callable[[Step], None] | None = None
        self._script = script
        self._world = world
        self._log_in = log_in
        self._options = options
        self._renaming = Renaming(options.users)
        self._judge = Judge(script, world, self._renaming, options.most_differences)
        self._rest: dict[str, RestClient] = {}
        self._lines: dict[Key, Line] = {}
        self._dead: set[Key] = set()
        self._impatient: set[Key] = set()
        self._counts = {"frames": 0, "calls": 0, "sent": 0}

    async def play(self) -> ServerReplay:
        began = time.monotonic()
        gave_up = False
        try:
            await self._arrive()
            await self._play_steps()
            await asyncio.sleep(SETTLE)
            self._judge.judge_rest(self._lines.values())
        except GaveUp:
            gave_up = True
        users = tuple(self._renaming.user(user) for user in self._script.users)
        seconds = time.monotonic() - began
        differences = sorted(self._judge.differences, key=lambda one: one.line)
        return ServerReplay(
            tuple(differences),
            **self._counts,
            late=self._judge.late,
            users=users,
            left_out=self._script.left_out,
            seconds=seconds,
            gave_up=gave_up,
        )

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
        gap, done_at = 0.0, time.monotonic()
        for step in self._script.steps:
            # What is put in before a record happens at its time, and so leaves the gap as it was.
            is_new = before is None or step.line != before.line
            if is_new:
                gap = (step.at - before.at).total_seconds() if before else 0.0
            if not isinstance(step, Expect | ExpectClose):
                self._judge.judge_finished(self._lines)
                await self._rest_until(done_at + self._pause(gap if is_new else 0.0))
            if self.on_step is not None:
                self.on_step(step)
            for line in self._lines.values():
                line.now_at_line = step.line
            await self._do(step, min(max(gap, 0.0), LONGEST_GAP))
            before = step if is_new else before
            done_at = time.monotonic()

    async def _rest_until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))

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
            self._judge.differs("closed", step, f"could not connect: {error}")
            return
        self._dead.discard(step.connection)
        self._lines[step.connection] = Line(self._renaming.user(step.user), connection)

    async def _send(self, step: Send) -> None:
        line = self._lines.get(step.connection)
        if line is None or line.ending is not None:
            self._lost(step, step.connection)
            return
        try:
            await line.send(frame_here(step.record, self._renaming, await self._token(step)))
        except TribeError:
            self._lost(step, step.connection)
            return
        self._counts["sent"] += 1

    async def _token(self, step: Send) -> str:
        source = self._rest[step.user].source
        return await source.current() if source and step.record.event == "auth" else ""

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
            self._judge.differs("status", step, words)

    def _compare_answer(self, step: Call, body: Any) -> None:
        """Compare what a call made; what one that only reads gives, depends on what was there before."""
        if step.record.method == "GET":
            return
        changes = compare_bodies(step.record.frame, body, self._renaming)
        if step.is_partly_known:
            stored = body.get("id") if isinstance(body, dict) else None
            self._renaming.bind(str(step.record.frame.get("id")), str(stored))
        elif changes:
            self._judge.differs("changed", step, f"the answer to {step.record.event} differs", changes)

    # ── waiting ───────────────────────────────────────────────────────────────────────────────────────────

    async def _expect(self, step: Expect, gap: float) -> None:
        self._counts["frames"] += 1
        self._judge.finish(step)
        line = self._lines.get(step.connection)
        if line is None:
            self._judge.differs("missing", step, f"{what(step.record)} did not come")
            return
        is_impatient = step.connection in self._impatient
        patience = self._options.patience / 4 if is_impatient else self._options.patience
        found = await line.find(step.record, self._renaming, gap + patience)
        if found is None:
            self._impatient.add(step.connection)
            self._judge.missed(line, step)
            return
        self._impatient.discard(step.connection)
        arrival, changes = found
        if changes:
            self._judge.differs("changed", step, f"{what(step.record)} differs", changes)
        self._judge.check_order(line, step, arrival.number)

    async def _expect_close(self, step: ExpectClose, gap: float) -> None:
        line = self._lines.get(step.connection)
        if line is None:
            return
        is_over = await line.ended(gap + self._options.patience)
        code = line.close_code
        reason = getattr(line.ending, "reason", "")
        if not is_over:
            self._judge.differs("closed", step, f"recorded close {step.code}, the connection stays open")
        elif code != step.code or (step.reason and reason != step.reason):
            got = f'{code} "{reason}"' if reason else str(code)
            recorded = f'{step.code} "{step.reason}"' if step.reason else str(step.code)
            self._judge.differs("closed", step, f"recorded close {recorded}, got {got}")
        await self._close(step.connection)

    async def _close(self, key: Key) -> None:
        if (line := self._lines.pop(key, None)) is not None:
            self._judge.judge(line)
            await line.close()

    def _lost(self, step: Send, key: Key) -> None:
        if key not in self._dead:
            self._dead.add(key)
            line = self._lines.get(key)
            why = line.ending if line is not None else "it never came about"
            self._judge.differs(
                "closed", step, f"cannot send {step.record.event}: the connection is over ({why})"
            )
