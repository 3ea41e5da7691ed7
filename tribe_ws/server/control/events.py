"""``GET events``: every frame of any connection and every REST call, one JSON object a line, while one reads.

The first line is a note with the event ``watching``: from then on nothing is missing. A reader too slow for
it gets a note with the event ``missed`` and the number of records that are; nobody waits for it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tribe_ws.errors import NotAllowed, NotFound, StorageUnavailable
from tribe_ws.hub.journal import Record, Verdict, Watcher
from tribe_ws.server.control.requests import Control, control_of
from tribe_ws.server.failures import Unprocessable
from tribe_ws.storage.storage import Storage

MEDIA_TYPE = "application/x-ndjson"
MOST_NAMES = 10_000
"""How many conversations' names are remembered; the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records a reader wants; an empty field wants all."""

    user_id: str = ""
    conversation_id: str = ""
    events: frozenset[str] = frozenset()

    def wants(self, record: Record) -> bool:
        """Tell whether a record passes."""
        return (
            (not self.events or record.event in self.events)
            and (not self.conversation_id or record.conversation_id == self.conversation_id)
            and (not self.user_id or self._concerns(record))
        )

    def _concerns(self, record: Record) -> bool:
        return record.user_id == self.user_id or any(one.user_id == self.user_id for one in record.rulings)


@dataclass(slots=True)
class _Names:
    """Usernames, and what conversations are called, by id, each looked up once."""

    storage: Storage
    known: dict[str, str] = field(default_factory=dict)
    conversations: dict[str, str] = field(default_factory=dict)

    def tell(self, record: Record) -> dict[str, Any]:
        """Give a record that was learnt as the stream shows it."""
        told = record.as_json(self.known.__getitem__)
        if name := self.conversations.get(record.conversation_id or ""):
            told["conversation"] = name
        return told

    async def learn(self, record: Record) -> None:
        for user_id in {record.user_id or "", *(one.user_id for one in record.rulings)} - self.known.keys():
            try:
                user = await self.storage.users.by_id(user_id)
            except StorageUnavailable:
                # The server is stopping; what is still to be told is told without the name.
                user = None
            self.known[user_id] = user.username if user is not None else user_id
        if record.conversation_id is not None and record.conversation_id not in self.conversations:
            self.conversations[record.conversation_id] = await self._called(record.conversation_id)
            if len(self.conversations) > MOST_NAMES:
                del self.conversations[next(iter(self.conversations))]

    async def _called(self, conversation_id: str) -> str:
        """Tell a conversation's name, or who is in it; nothing for one that is not there."""
        try:
            members = await self.storage.conversations.participant_ids(conversation_id)
            if not members:
                return ""
            about = await self.storage.conversations.get(conversation_id, members[0])
        except (StorageUnavailable, NotFound, NotAllowed):
            return ""
        return about.name or "+".join(sorted(one.username for one in about.participants))


async def events(request: Request) -> StreamingResponse:
    """Stream the journal: ``?user=``, ``?conversation=``, ``?event=a,b``, ``?after=N`` for what is kept."""
    control = control_of(request)
    chosen = await _filter(control, request)
    after = _number(request.query_params.get("after"))
    watcher = control.services.hub.journal.watch(after=after)
    return StreamingResponse(_lines(control, watcher, chosen), media_type=MEDIA_TYPE)


async def told(
    storage: Storage, watcher: Watcher, chosen: Filter | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield what a watcher gets, with names and reasons, until it is closed; the first is a note."""
    names, chosen = _Names(storage), chosen or Filter()
    try:
        yield {"dir": "note", "event": "watching"}
        while True:
            missed, records = await watcher.take()
            if missed:
                yield {"dir": "note", "event": "missed", "frame": {"records": missed}}
            for record in records:
                if chosen.wants(record):
                    await names.learn(record)
                    yield names.tell(await _explain(record, storage))
            if watcher.is_closed:
                return
    finally:
        watcher.close()


async def _lines(control: Control, watcher: Watcher, chosen: Filter) -> AsyncIterator[str]:
    async with aclosing(told(control.services.storage, watcher, chosen)) as records:
        async for record in records:
            yield _line(record)


async def _explain(record: Record, storage: Storage) -> Record:
    """Tell the strangers from the participants who only did not subscribe; the hub knows no participants."""
    if record.conversation_id is None or not any(
        one.verdict is Verdict.NOT_SUBSCRIBED for one in record.rulings
    ):
        return record
    try:
        participants = await storage.conversations.participant_ids(record.conversation_id)
    except StorageUnavailable:
        return record
    return record.with_participants(frozenset(participants))


async def _filter(control: Control, request: Request) -> Filter:
    query = request.query_params
    user, conversation = query.get("user", ""), query.get("conversation", "")
    return Filter(
        user_id=(await control.user(user)).id if user else "",
        conversation_id=control.conversation_id(conversation) if conversation else "",
        events=frozenset(filter(None, query.get("event", "").split(","))),
    )


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise Unprocessable([("after", "expected the number of a record")])
    return int(text)


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


ROUTES = (Route("/__tribe__/events", events, methods=["GET"]),)
