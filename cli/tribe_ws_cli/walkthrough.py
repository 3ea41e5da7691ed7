"""The documented flow, walked through with a real server and two users, each step timed and told."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tribe_ws.capture.journal import Journal
from tribe_ws.capture.names import Names
from tribe_ws.capture.record import Record
from tribe_ws.client.events import Event
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.rest import RestClient
from tribe_ws.client.stream import EventStream
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
from tribe_ws.durations import format_duration
from tribe_ws.errors import TribeError
from tribe_ws.protocol.urls import API_PREFIX, ServerAddress
from tribe_ws_cli.diagnostics import diagnose
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.lines import LineStyle, line_of

_CONVERSATION = "general"
_TEXT = "Hello! Does this arrive?"


class StepFailed(TribeError):
    """One step of the walkthrough did not do what the document promises."""

    code = "step_failed"


@dataclass
class _Person:
    """One of the two users: REST, socket, and a journal of both."""

    rest: RestClient
    journal: Journal
    stream: EventStream


@dataclass
class Walkthrough:
    """One run. The first step that fails ends it with ``StepFailed``."""

    environment: Environment
    started: float = field(default_factory=time.monotonic)
    _step: int = 0
    _records: list[tuple[Record, str]] = field(default_factory=list)

    async def run(self) -> None:
        """Go through all the steps, and take down what was put up."""
        async with AsyncExitStack() as stack:
            address = await self._start(stack)
            alice_rest = await self._log_in(stack, address, "alice")
            bob_rest = await self._log_in(stack, address, "bob")
            bob = await self._connect(stack, bob_rest, "bob")
            alice = await self._connect(stack, alice_rest, "alice")
            conversation_id = bob.journal.names.find(_CONVERSATION)
            await self._subscribe(bob, conversation_id)
            await self._subscribe(alice, conversation_id)
            await self._send(alice, bob, conversation_id)
            await self._type(alice, bob, conversation_id)
            await self._ping(bob)
        self._conclude()

    # ── the steps of the document's "Testing", and the two features it lists beside them ──────────────────

    async def _start(self, stack: AsyncExitStack) -> ServerAddress:
        from tribe_ws.server.local import LocalServer

        async with self._doing("serve", "Start the backend server"):
            server = await stack.enter_async_context(LocalServer())
            self._tell("serve", f"{server.url}, its database in memory, demo users alice bob cara dan")
        return server.address

    async def _log_in(self, stack: AsyncExitStack, address: ServerAddress, name: str) -> RestClient:
        async with self._doing("login", f"Get a JWT token by logging in as {name}"):
            rest = await stack.enter_async_context(RestClient(address, timeout=self.environment.timeout))
            began = time.monotonic()
            result = await rest.login(demo_email(name), DEMO_PASSWORD)
            text = f"POST {API_PREFIX}/auth/login as {result.user.full_name}"
            self._tell("login", f"{text}, token good for 60 minutes", time.monotonic() - began, as_user=name)
        return rest

    async def _connect(self, stack: AsyncExitStack, rest: RestClient, name: str) -> _Person:
        async with self._doing("connect", f"Connect {name} to {rest.address.socket_url}?token=***"):
            assert rest.source is not None
            began = time.monotonic()
            stream = EventStream(rest.address, rest.source, options=StreamOptions(reconnect=False))
            await stack.enter_async_context(stream)
            names = Names(await rest.all_conversations(), name)
            person = _Person(rest, Journal(names, is_same_clock=True), stream)
            await self._expect(person, lambda event: event.name == "connected", "connected", began)
        return person

    async def _subscribe(self, person: _Person, conversation_id: str) -> None:
        names = person.journal.names
        async with self._doing("subscribe", f"Subscribe {names.me} to {names.label(conversation_id)}"):
            frame = {"event": "subscribe", "channel": "conversation", "conversation_id": conversation_id}
            began = await self._send_frame(person, frame)
            await self._expect(person, lambda event: event.name == "subscribed", "subscribed", began)

    async def _send(self, sender: _Person, receiver: _Person, conversation_id: str) -> None:
        async with self._doing("message.new", "Send a message by REST: it appears at bob, and not at alice"):
            began = time.monotonic()
            sent = await sender.rest.send_message(conversation_id, _TEXT)
            self._record(
                sender,
                sender.journal.posted(conversation_id, _TEXT, sent.message.raw, seconds=sent.seconds),
            )
            message_id = sent.message.id
            await self._expect(receiver, lambda event: event.message_id == message_id, "message.new", began)
            await self._expect_no_echo(sender)

    async def _expect_no_echo(self, sender: _Person) -> None:
        """Make sure that the sender got nothing: its next event is the answer to a ping."""
        began = await self._send_frame(sender, {"event": "ping"}, is_told=False)
        event = await sender.stream.wait_for(lambda _: True, self.environment.timeout, what="pong")
        if event.name != "pong":
            raise StepFailed(f"alice got {event.name}, but the sender is excluded from the broadcast")
        text = "alice gets nothing: the sender is excluded"
        self._tell("note", text, time.monotonic() - began, as_user="alice")

    async def _type(self, typist: _Person, reader: _Person, conversation_id: str) -> None:
        async with self._doing("typing", "Type as alice: bob sees it"):
            for is_typing in (True, False):
                frame = {"event": "typing", "conversation_id": conversation_id, "is_typing": is_typing}
                began = await self._send_frame(typist, frame)
                await self._expect(reader, _is_typing(is_typing), f"typing {is_typing}", began)

    async def _ping(self, person: _Person) -> None:
        async with self._doing("ping", "Heartbeat: ping gets pong"):
            began = await self._send_frame(person, {"event": "ping"})
            await self._expect(person, lambda event: event.name == "pong", "pong", began)

    # ── what every step does ──────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _doing(self, step: str, title: str) -> AsyncIterator[None]:
        self._step += 1
        self._records.clear()
        began = time.monotonic()
        try:
            yield
        except (TribeError, TimeoutError) as error:
            diagnosis = diagnose(error)
            raise StepFailed(
                f"step {self._step} of the demo ({step}) failed: {diagnosis.what}",
                hint=diagnosis.hint or "this should not happen: please report it",
            ) from error
        self._print(step, title, time.monotonic() - began)

    async def _send_frame(
        self, person: _Person, frame: Mapping[str, object], *, is_told: bool = True
    ) -> float:
        text = json.dumps(frame, separators=(",", ":"))
        if is_told:
            self._record(person, person.journal.sent(text))
        began = time.monotonic()
        await person.stream.send(text)
        return began

    async def _expect(
        self, person: _Person, matches: Callable[[Event], bool], what: str, began: float
    ) -> None:
        event = await person.stream.wait_for(matches, self.environment.timeout, what=what)
        if event.complaint:
            raise StepFailed(f"{event.name} breaks the contract: {event.complaint}")
        record = person.journal.event(event)
        self._record(person, replace(record, latency=event.received_at - began, timing="measured"))

    def _record(self, person: _Person, record: Record) -> None:
        self._records.append((record, person.journal.names.label(record.conversation_id)))

    def _tell(self, event: str, text: str, latency: float | None = None, *, as_user: str = "") -> None:
        record = Record(0, datetime.now(UTC), "note", event, text=text, latency=latency, as_user=as_user)
        self._records.append((record, ""))

    def _print(self, step: str, title: str, seconds: float) -> None:
        environment = self.environment
        if environment.json:
            events = [record.as_json() for record, _ in self._records if record.direction != "note"]
            environment.output.json(
                {
                    "v": 1,
                    "step": step,
                    "number": self._step,
                    "title": title,
                    "ok": True,
                    "ms": round(seconds * 1000, 1),
                    "records": events,
                }
            )
            return
        if environment.quiet:
            return
        environment.output.segments([(f"{self._step:>2}  {title}", "event")])
        style = LineStyle(ascii=environment.ascii, width=88)
        for record, label in self._records:
            for line in line_of(record, style, label):
                environment.output.segments([("    ", ""), (f"{record.as_user:<6}", "dim"), *line])

    def _conclude(self) -> None:
        if self.environment.json or self.environment.quiet:
            return
        took = format_duration(time.monotonic() - self.started)
        self.environment.output.line(f"\nAll {self._step} steps did what the document promises, in {took}.")
        self.environment.output.line(
            "Your own:  tribe-ws serve        then, elsewhere:  tribe-ws connect --as bob"
        )


def _is_typing(wanted: bool) -> Callable[[Event], bool]:
    def matches(event: Event) -> bool:
        return event.name == "typing" and event.data.get("is_typing") is wanted

    return matches
