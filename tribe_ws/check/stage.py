"""What a probe gets: people who are logged in, conversations of the check's own, sockets, REST calls.

Everything that happens through a stage is kept as evidence, and everything it opened is closed at its end.
A stage is of one run of one probe; what it shares with others is in its ``Visit``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Self
from uuid import uuid4

from tribe_ws.check.accounts import Person
from tribe_ws.check.evidence import Evidence
from tribe_ws.check.habits import Habits, Pace
from tribe_ws.check.socket import Refusal, Socket
from tribe_ws.check.verdict import CannotTell, Failed, Skipped
from tribe_ws.check.visit import Visit
from tribe_ws.check.wire import Answer, dial
from tribe_ws.client.control import ControlClient
from tribe_ws.errors import CannotConnect, TribeError
from tribe_ws.protocol.redaction import redact_json
from tribe_ws.protocol.urls import API_PREFIX, ServerAddress


class Stage:
    """The place where one probe runs; an asynchronous context manager."""

    def __init__(self, visit: Visit, pace: Pace | None = None) -> None:
        self.visit = visit
        self.pace = pace or Pace(visit.patience)
        self.evidence = Evidence()
        self._sockets: list[Socket] = []
        self._borrowed: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, *, is_spoilt: bool = False) -> None:
        """Close all sockets, and give back the rooms that others may use, unless something went wrong."""
        sockets, self._sockets = self._sockets, []
        await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
        for socket in sockets:
            self.visit.shapes.note_frames((frame.value for frame in socket.frames), socket.subprotocol)
        borrowed, self._borrowed = self._borrowed, []
        if not is_spoilt:
            self.visit.idle_rooms += borrowed

    # ── Who and where ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def address(self) -> ServerAddress:
        """The server's address."""
        return self.visit.address

    @property
    def habits(self) -> Habits:
        """What the server was seen to do before."""
        return self.visit.habits

    @property
    def first(self) -> Person:
        """The first person: the one who makes conversations, and is admin of them."""
        return self._person(0)

    @property
    def second(self) -> Person:
        """The second person: the other participant."""
        return self._person(1)

    @property
    def third(self) -> Person:
        """The third person: the foreigner, in no conversation that the probe did not take them into."""
        return self._person(2)

    @property
    def control(self) -> ControlClient:
        """The control API of a local server of ours; skips the probe where there is none."""
        if self.visit.control is None:
            raise Skipped("needs the control API of a local tribe-ws server")
        return self.visit.control

    async def shared_room(self) -> str:
        """Give a group of the first and the second person, in which nobody else does anything now.

        It may hold messages of earlier probes. No typing goes on in it, and none may go on at the end.
        """
        room = self.visit.idle_rooms.pop() if self.visit.idle_rooms else await self.room()
        self._borrowed.append(room)
        return room

    async def room(self, *others: Person, creator: Person | None = None) -> str:
        """Make a group for this probe alone, of the first and the second person if nobody else is named.

        ``creator`` (the first person by default) is its admin; ``others`` are the other participants. It is
        left by everybody when the check ends.
        """
        if not self.visit.consent.write:
            raise Skipped("may not write, and needs a conversation of its own")
        maker = creator or self.first
        members = others or (self.second,)
        body = {
            "conversation_type": "group",
            "participant_ids": [one.id for one in members],
            "name": f"{self.visit.name} #{self.visit.number()}",
        }
        answer = await self.call(maker, "POST", "/conversations", body=body)
        room = answer.object.get("id")
        if answer.status not in {200, 201} or not isinstance(room, str):
            raise CannotTell(f"no conversation could be made: {answer}")
        self.visit.rooms[room] = (*members, maker)
        return room

    def words(self) -> str:
        """Give a text for a message that nobody else sends."""
        return f"check {self.visit.number()} {uuid4().hex[:12]}"

    # ── Sockets ───────────────────────────────────────────────────────────────────────────────────────────

    async def open(
        self, person: Person, *, subprotocols: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> Socket:
        """Open a connection of that person and read its ``connected``, as a precondition.

        The frame stays in ``socket.frames``. The probe cannot tell where the server does not let them in.
        """
        socket = await self.dial(token=person.token, who=person, subprotocols=subprotocols, headers=headers)
        if isinstance(socket, Refusal):
            raise CannotTell(f"the server refused the connection of {person.username}: {socket}")
        if self.habits.greets:
            await socket.need("connected")
        return socket

    async def dial(
        self,
        *,
        token: str | None = None,
        query: str | None = None,
        headers: Mapping[str, str] | None = None,
        origin: str | None = None,
        subprotocols: Sequence[str] = (),
        who: Person | None = None,
    ) -> Socket | Refusal:
        """Open a connection in any way, and wait for nothing on it; a refused handshake is given back.

        ``token`` goes where the document has it; ``query`` replaces the whole query (``token=a&token=b``);
        ``who`` is whose name the evidence shows.
        """
        name = who.username if who else "somebody"
        url = self.address.socket_url
        if query is not None:
            url += f"?{query}" if query else ""
        elif token is not None:
            url = self.address.socket_url_with(token)
        self.evidence.note(name, "sent", f"GET {url}" + (f" Origin: {origin}" if origin is not None else ""))
        try:
            opened = await dial(
                self.address,
                url,
                headers=headers or {},
                origin=origin,
                subprotocols=subprotocols,
                within=max(5.0, 2 * self.pace.deadline),
            )
        except CannotConnect as error:
            raise CannotTell(f"no connection came about: {error}") from None
        if isinstance(opened, Refusal):
            self.evidence.note(name, "got", str(opened))
            return opened
        home = self.visit.homes.get(who.id, "") if who else ""
        socket = Socket(opened, name, self.evidence, self.habits, self.pace, home)
        self._sockets.append(socket)
        return socket

    # ── REST ──────────────────────────────────────────────────────────────────────────────────────────────

    async def call(
        self,
        person: Person | None,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: bytes | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        prefix: str = API_PREFIX,
        token: str | None = None,
    ) -> Answer:
        """Make a REST call as that person, or as nobody, and give the answer whatever its status.

        ``token`` takes the place of the person's own. The probe cannot tell where no answer comes.
        """
        who = person.username if person else "nobody"
        said = "" if body is None else f" {redact_json(body)}"
        said += "" if content is None else f" {content[:200]!r}"
        self.evidence.note(who, "sent", f"{method} {prefix}{path}{said}")
        try:
            answer = await self.visit.rest.call(
                method,
                path,
                token=token or (person.token if person else None),
                body=body,
                content=content,
                query=query,
                headers=headers,
                prefix=prefix,
                within=max(5.0, 2 * self.pace.deadline),
            )
        except TribeError as error:
            raise CannotTell(f"{method} {path} got no answer: {error}") from None
        self.evidence.note(who, "got", str(answer))
        self.visit.shapes.note_answer(method, path, answer.status, answer.value)
        return answer

    async def send(
        self, person: Person, room: str, content: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Send a message by REST, as a precondition, and give it as the server answers it.

        ``content`` is one that nobody else sends, unless given.
        """
        body = {"content": self.words() if content is None else content, **fields}
        answer = await self.call(person, "POST", f"/conversations/{room}/messages", body=body)
        if answer.status not in {200, 201}:
            raise CannotTell(f"{person.username} could not send a message: {answer}")
        return {**body, **answer.object}

    # ── Verdicts ──────────────────────────────────────────────────────────────────────────────────────────

    def fail(self, reason: str) -> NoReturn:
        """End the probe: the server did the contrary."""
        raise Failed(reason)

    def check(self, holds: object, reason: str) -> None:
        """Fail the probe with that reason unless it holds."""
        if not holds:
            raise Failed(reason)

    def require(self, holds: object, reason: str) -> None:
        """End the probe without a verdict unless a precondition holds."""
        if not holds:
            raise CannotTell(reason)

    def same(self, what: str, got: object, want: object) -> None:
        """Fail the probe unless both are equal; the reason tells both."""
        if got != want:
            raise Failed(f"{what}: wanted {want!r}, got {got!r}")

    def _person(self, number: int) -> Person:
        people = self.visit.people
        if number >= len(people):
            raise Skipped(f"needs {number + 1} accounts, and {len(people)} were given")
        return people[number]
