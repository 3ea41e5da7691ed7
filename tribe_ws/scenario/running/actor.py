"""One person of a running scenario: an account, its REST calls, and as many connections as the file names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tribe_ws.capture.names import Names
from tribe_ws.client.calls import Answer
from tribe_ws.client.rest import RestClient
from tribe_ws.client.results import User
from tribe_ws.clock import Clock
from tribe_ws.errors import NotFound
from tribe_ws.scenario.model import ConnectionName
from tribe_ws.scenario.result import Log
from tribe_ws.scenario.running.accounts import Account
from tribe_ws.scenario.running.diary import Diary, Labels, RestCall
from tribe_ws.scenario.running.link import Link

_UNAUTHORISED = 401


@dataclass(frozen=True, slots=True)
class Request:
    """One REST call to be; ``path`` begins at the server's root, ``content`` goes out to the letter."""

    method: str
    path: str
    body: Any = None
    has_body: bool = False
    headers: Mapping[str, str] | None = None
    with_token: bool = True
    renews: bool = False
    """A 401 is answered by one renewal of the token and one repetition, as the app does it."""


class Player:
    """An actor on the stage; ``name`` is what the scenario calls it."""

    def __init__(self, name: str, account: Account, clock: Clock) -> None:
        self.name = name
        self.rest: RestClient = account.rest
        self.user: User = account.user
        self._clock = clock
        self._links: dict[str, Link] = {}
        self._calls = Diary(name)
        self._names: Names | None = None

    def link(self, connection: ConnectionName) -> Link:
        """Give the connection of that name; it need not be open yet."""
        found = self._links.get(connection.label)
        if found is None:
            found = Link(self.rest.address, Diary(str(connection)), self._clock)
            self._links[connection.label] = found
        return found

    async def token(self) -> str:
        """Give the access token of the account as it is now."""
        return await self.rest.source.current() if self.rest.source is not None else ""

    async def renewed_token(self, refused: str) -> str:
        """Give another token in place of a refused one; raises ``AuthenticationError`` if there is none."""
        return await self.rest.source.renew(refused) if self.rest.source is not None else ""

    async def call(self, request: Request) -> Answer:
        """Make a REST call and give its answer, whatever the status."""
        answer = await self._exchange(request)
        if answer.status == _UNAUTHORISED and request.renews and self.rest.source is not None:
            await self.rest.source.renew(await self.rest.source.current())
            answer = await self._exchange(request)
        return answer

    async def find_conversation(self, name: str) -> str:
        """Tell the id of one of the person's conversations by any of its names; raises ``NotFound``."""
        if self._names is not None:
            with suppress(NotFound):
                return self._names.find(name)
        self._names = Names(await self.rest.all_conversations(), self.user.username)
        return self._names.find(name)

    async def leave(self) -> None:
        """Close all connections, those to the REST side too."""
        await asyncio.gather(*(link.close() for link in self._links.values()), return_exceptions=True)
        await self.rest.close()

    def log(self, labels: Labels, most: int) -> Log:
        """Give the last things sent and got, over all connections and by REST, in the order of time."""
        diaries = [self._calls, *(link.diary for link in self._links.values())]
        records = sorted(
            (record for diary in diaries for record in diary.records(labels, most)),
            key=lambda record: record.at,
        )
        return Log(self.name, tuple(records[-most:]), sum(diary.count for diary in diaries))

    async def _exchange(self, request: Request) -> Answer:
        headers = dict(request.headers or {})
        content = None
        if request.has_body:
            content = json.dumps(request.body).encode()
            headers.setdefault("Content-Type", "application/json")
        answer = await self.rest.exchange(
            request.method, request.path, content=content, headers=headers, with_token=request.with_token
        )
        self._calls.called(
            RestCall(request.method, request.path, request.body, answer.status, answer.body, answer.seconds)
        )
        return answer
