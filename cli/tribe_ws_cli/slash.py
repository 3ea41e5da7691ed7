"""Carries out what was typed into ``connect``: messages, raw frames and slash commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tribe_ws.capture.filter import FilterError, parse_filter
from tribe_ws.capture.names import Names, slug
from tribe_ws.client.tokens import claims_of
from tribe_ws.durations import format_duration, parse_duration
from tribe_ws.errors import NotFound, TribeError
from tribe_ws.protocol.codec import object_in
from tribe_ws.typed_lines import Order, RawFrame, Say, Typed
from tribe_ws_cli.diagnostics import UsageProblem, diagnose
from tribe_ws_cli.inputs import COMMANDS
from tribe_ws_cli.live import Live

_PING = '{"event":"ping"}'
_SWITCH = {"on": True, "off": False, "true": True, "false": False}


class Leave(Exception):
    """The session is to end: for good, or (``user``) to go on as somebody else."""

    def __init__(self, user: str = "") -> None:
        super().__init__(user)
        self.user = user


class Conversationalist:
    """What one person does in one session; ``current`` is the conversation that text goes to."""

    def __init__(self, live: Live, current: str = "") -> None:
        self.live = live
        self.current = current
        self.is_strict = False
        self._explained_echo = False
        self._running: set[asyncio.Task[None]] = set()

    @property
    def prompt(self) -> str:
        """What stands before the line being typed."""
        where = f" {self.live.names.label(self.current)}" if self.current else ""
        return f"{self.live.identity.username}{where}> "

    async def carry_out(self, order: Typed) -> None:
        """Do what was typed.

        Raises ``Leave`` when that ends the session, ``TribeError`` when it cannot be done.
        """
        match order:
            case Say():
                await self._say(order.text, order.conversation)
            case RawFrame():
                await self.live.send_frame(order.text)
                self._follow(order.text)
            case Order():
                doer: Callable[[Order], Awaitable[None]] = getattr(self, f"_{order.name}")
                await doer(order)

    async def attempt(self, order: Typed) -> bool:
        """Do what was typed, and say so if it cannot be done; tell whether it could."""
        try:
            await self.carry_out(order)
        except (TribeError, OSError) as error:
            diagnosis = diagnose(error)
            text = (
                f"{diagnosis.what}{'  ' if diagnosis.hint else ''}{' '.join(diagnosis.hint.split(chr(10)))}"
            )
            self.live.note("error", text, tag="error")
            return False
        return True

    async def finish(self) -> None:
        """Stop what still runs by itself (a typing state for some seconds)."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────

    async def _say(self, text: str, conversation: str = "") -> None:
        conversation_id = self._find(conversation) if conversation else self._require_current()
        await self.live.say(conversation_id, text)
        if not self._explained_echo and self.live.printer.is_for_people:
            self._explained_echo = True
            others = [
                name
                for name in self.live.names.user_names(conversation_id)
                if name != self.live.identity.username
            ]
            flag = self.live.identity.environment.url_flag()
            arrive = f" See it arrive: tribe-ws connect --as {others[0]}{flag}" if others else ""
            self.live.note("note", f"The server does not echo your own message.{arrive}")

    async def _msg(self, order: Order) -> None:
        if not order.rest:
            raise UsageProblem("/msg TEXT")
        await self._say(order.rest)

    async def _file(self, order: Order) -> None:
        await self._say(_read(_one(order, "PATH")).rstrip("\n"))

    # ── frames ────────────────────────────────────────────────────────────────────────────────────────────

    async def _subscribe(self, order: Order) -> None:
        for name in order.words or _usage(order):
            conversation_id = self._find(name)
            frame = {"event": "subscribe", "channel": "conversation", "conversation_id": conversation_id}
            await self.live.send_frame(_compact(frame))
            self.current = conversation_id

    async def _unsubscribe(self, order: Order) -> None:
        for name in order.words or _usage(order):
            frame = {"event": "unsubscribe", "conversation_id": self._find(name)}
            await self.live.send_frame(_compact(frame))

    async def _typing(self, order: Order) -> None:
        word = order.words[0] if order.words else "on"
        conversation_id = self._find(order.words[1]) if len(order.words) > 1 else self._require_current()
        if word.lower() in _SWITCH:
            await self._send_typing(conversation_id, _SWITCH[word.lower()])
            return
        try:
            seconds = parse_duration(word)
        except ValueError:
            raise UsageProblem("/typing on|off|5s") from None
        await self._send_typing(conversation_id, True)
        task = asyncio.create_task(self._stop_typing(conversation_id, seconds))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _stop_typing(self, conversation_id: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._send_typing(conversation_id, False)

    async def _send_typing(self, conversation_id: str, is_typing: bool) -> None:
        frame = {"event": "typing", "conversation_id": conversation_id, "is_typing": is_typing}
        await self.live.send_frame(_compact(frame))

    async def _presence(self, order: Order) -> None:
        status = order.words[0] if order.words else ""
        if status not in {"online", "away", "offline"}:
            raise UsageProblem("/presence online|away|offline")
        await self.live.send_frame(_compact({"event": "presence", "status": status}))

    async def _ping(self, order: Order) -> None:
        from tribe_ws_cli.commands.signals import ping_summary

        word = order.words[0] if order.words else "1"
        if not word.isdecimal() or not 1 <= int(word) <= 1000:
            raise UsageProblem("/ping N, from 1 to 1000")
        if int(word) == 1:
            await self.live.send_frame(_PING)
            return
        times = [await self.live.ping() * 1000 for _ in range(int(word))]
        self.live.printer.say(f"  {ping_summary(times)}")

    async def _raw(self, order: Order) -> None:
        await self.live.send_frame(order.rest or _usage(order)[0])

    def _follow(self, text: str) -> None:
        """Make the conversation of a hand-written ``subscribe`` the current one, as ``/subscribe`` does."""
        frame = object_in(text)
        if frame.get("event") == "subscribe" and isinstance(frame.get("conversation_id"), str):
            self.current = frame["conversation_id"]

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────

    async def _conv(self, order: Order) -> None:
        self.current = self._find(_one(order, "NAME"))
        if self.current not in self.live.stream.subscriptions:
            name = self.live.names.label(self.current)
            self.live.note("note", f"You send to {name} now, but get nothing of it before /subscribe {name}")

    async def _list(self, order: Order) -> None:  # noqa: ARG002 - every doer gets its order
        names, subscribed = self.live.names, self.live.stream.subscriptions
        for conversation in names.conversations:
            state = "subscribed" if conversation.id in subscribed else ""
            people = " ".join(one.username for one in conversation.participants)
            label = f"{names.label(conversation.id):<14}"
            self.live.printer.say(f"  {label} {people:<24} {state:<11} {conversation.id}".rstrip())

    async def _who(self, order: Order) -> None:
        conversation_id = self._find(order.words[0]) if order.words else self._require_current()
        conversation = await self.live.identity.rest.conversation(conversation_id)
        for one in conversation.participants:
            presence = "?" if one.is_online is None else "online" if one.is_online else "offline"
            self.live.printer.say(f"  {one.username:<14} {one.full_name:<20} {presence}")

    async def _show(self, order: Order) -> None:
        number = _one(order, "N")
        record = self.live.journal.find(int(number)) if number.isdecimal() else None
        if record is None:
            raise NotFound(f"there is no line {number}", hint="the newest thousand are kept")
        self.live.printer.say(json.dumps(record.as_json(), ensure_ascii=False, indent=2))

    async def _violations(self, order: Order) -> None:  # noqa: ARG002 - every doer gets its order
        found = self.live.journal.violations()
        for record in found:
            self.live.printer.say(
                f"  {record.seq:>5}  {record.event:<12} {'; '.join(map(str, record.violations))}"
            )
        if not found:
            self.live.printer.say("  Nothing broke the contract so far.")

    async def _filter(self, order: Order) -> None:
        printer = self.live.printer
        printer.hidden = 0
        if not order.rest or order.rest == "off":
            printer.filter = None
            self.live.note("filter", "off, everything is shown")
            return
        try:
            printer.filter = parse_filter(order.rest)
        except FilterError as error:
            raise UsageProblem(str(error), hint=error.pointed) from None
        self.live.note("filter", f"{order.rest}   (/filter off shows everything)")

    async def _time(self, order: Order) -> None:
        kind = _one(order, "clock|rel|delta")
        if kind not in {"clock", "rel", "delta"}:
            raise UsageProblem("/time clock|rel|delta")
        self.live.printer.style.time = kind

    async def _token(self, order: Order) -> None:  # noqa: ARG002 - every doer gets its order
        source = self.live.identity.rest.source
        claims = claims_of(await source.current()) if source is not None else {}
        for name, value in claims.items():
            told = ""
            if name in {"exp", "iat", "nbf"} and isinstance(value, int | float):
                moment = datetime.fromtimestamp(value, UTC)
                away = (moment - datetime.now(UTC)).total_seconds()
                past = f"{format_duration(-away)} ago" if away < 0 else f"in {format_duration(away)}"
                told = f"   {moment.astimezone():%H:%M:%S}, {past}"
            self.live.printer.say(f"  {name:<10} {value}{told}")

    async def _help(self, order: Order) -> None:
        wanted = [order.words[0].lstrip("/")] if order.words else list(COMMANDS)
        for name in wanted:
            if name not in COMMANDS:
                raise NotFound(f"No /{name}.", hint="/help lists what there is.")
            words, meaning = COMMANDS[name]
            self.live.printer.say(f"  {f'/{name} {words}'.rstrip():<32} {meaning}")
        if not order.words:
            self.live.printer.say(
                "  text goes by REST, {…} is a raw frame for the socket, //… a text with a slash"
            )

    # ── files and the connection ──────────────────────────────────────────────────────────────────────────

    async def _save(self, order: Order) -> None:
        from tribe_ws.capture.writer import capture_line
        from tribe_ws.running import write_private

        path = _path(_one(order, "FILE"))
        records = self.live.journal.records()
        write_private(path, "".join(capture_line(record).decode() for record in records))
        self.live.note("saved", f"{len(records)} lines to {path}")

    async def _record(self, order: Order) -> None:
        target = _one(order, "FILE|stop")
        if target == "stop":
            self.live.recording.stop()
            self.live.note("record", "stopped")
            return
        self.live.recording.start(_path(target))
        self.live.note("record", f"everything goes to {target} too (/record stop)")

    async def _reconnect(self, order: Order) -> None:  # noqa: ARG002 - every doer gets its order
        self.live.stream.reconnect_now()

    async def _close(self, order: Order) -> None:
        code = order.words[0] if order.words else "1000"
        is_sendable = code.isdecimal() and (int(code) == 1000 or 3000 <= int(code) <= 4999)
        if not is_sendable:
            raise UsageProblem("/close CODE REASON, with a code of 1000 or from 3000 to 4999")
        await self.live.stream.close(int(code), " ".join(order.words[1:]))
        raise Leave

    async def _as(self, order: Order) -> None:
        raise Leave(_one(order, "USER").removeprefix("@"))

    async def _quit(self, order: Order) -> None:  # noqa: ARG002 - every doer gets its order
        raise Leave

    async def _set(self, order: Order) -> None:
        if len(order.words) != 2 or order.words[0] != "strict" or order.words[1] not in _SWITCH:
            raise UsageProblem("/set strict on|off")
        self.is_strict = _SWITCH[order.words[1]]

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _find(self, name: str) -> str:
        return self.live.names.find(name)

    def _require_current(self) -> str:
        if self.current:
            return self.current
        example = first_name(self.live.names)
        raise UsageProblem(
            "no conversation is chosen yet", hint=f"/subscribe {example}   or   /conv {example}"
        )


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _read(text: str) -> str:
    return _path(text).read_text("utf-8")


def first_name(names: Names) -> str:
    """Give the name of some conversation, for examples."""
    return slug(names.example())


def _one(order: Order, what: str) -> str:
    if not order.words:
        raise UsageProblem(f"/{order.name} {what}")
    return order.words[0]


def _usage(order: Order) -> tuple[str, ...]:
    raise UsageProblem(f"/{order.name} {COMMANDS[order.name][0]}")


def _compact(frame: Mapping[str, object]) -> str:
    return json.dumps(frame, separators=(",", ":"))
