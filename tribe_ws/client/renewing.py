"""Keeps one connection's token fresh: renewed before its end, and told on the open socket where possible.

Where it is not, the server ends the connection in time and the next one has the new token. A renewal that
fails is no end either: the server may let the old token live, or say 4401.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tribe_ws.client.answers import Question
from tribe_ws.client.connection import Connection
from tribe_ws.client.events import TokenRenewed
from tribe_ws.client.memory import Memory
from tribe_ws.client.tokens import TokenKeeper
from tribe_ws.errors import TribeError
from tribe_ws.protocol.frames import Frame
from tribe_ws.protocol.frames_v2 import Auth

RETRY_AFTER = 30.0
SETTLED_AFTER = 10.0
"""Seconds a token must have been in use for ``token.expiring`` to be believed: one that lives shorter is
announced as ending from its first moment, and is renewed by its own end alone."""

Ask = Callable[[Frame, Question], Awaitable[None]]


class Renewal:
    """The renewals of one connection; ``ask`` sends a frame that will be answered."""

    def __init__(self, connection: Connection, memory: Memory, ask: Ask) -> None:
        self._connection = connection
        self._memory = memory
        self._ask = ask
        self._in_use_since = memory.clock.monotonic()
        self._due = asyncio.Event()
        self._is_hurried = False
        self._renewals = 0

    def hurry(self) -> None:
        """Renew now: the server says that the token ends soon, and its clock counts."""
        if self._memory.clock.monotonic() - self._in_use_since >= SETTLED_AFTER:
            self._is_hurried = True
            self._due.set()

    async def run(self) -> None:
        """Renew the token whenever it is due, as long as there is something to renew it with."""
        source, clock = self._memory.source, self._memory.clock
        while (due := source.renewal_due()) is not None:
            await self._wait(max(due, 0.0))
            try:
                is_renewed = await self._renew()
            except TribeError:
                is_renewed = False
            if is_renewed:
                ends_at = source.tokens.ends_at if isinstance(source, TokenKeeper) else None
                await self._memory.buffer.put(TokenRenewed(clock.now(), ends_at))
            else:
                await clock.sleep(RETRY_AFTER)

    async def _wait(self, seconds: float) -> None:
        timer = self._memory.clock.call_later(seconds, self._due.set)
        try:
            await self._due.wait()
        finally:
            timer.cancel()
            self._due.clear()

    async def _renew(self) -> bool:
        source, is_hurried = self._memory.source, self._is_hurried
        self._is_hurried = False
        token = await (source.renew(self._connection.token) if is_hurried else source.current())
        if self._connection.is_v2 and token != self._connection.token:
            await self._tell(token)
        due = source.renewal_due()
        return due is None or due > 0

    async def _tell(self, token: str) -> None:
        """Tell the server of the token; one that it refuses leaves the connection to the end of the old."""
        self._renewals += 1
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        question = Question(
            self._memory.clock.monotonic(),
            on_answer=lambda _: _settle(answered, accepted=True),
            on_error=lambda _: _settle(answered, accepted=False),
            ref=f"tribe-ws-auth-{self._renewals}",
        )
        await self._ask(Auth(token=token, ref=question.ref), question)
        await asyncio.wait({answered}, timeout=self._memory.options.answer_timeout)
        if answered.done() and answered.result():
            self._connection.token = token
            self._in_use_since = self._memory.clock.monotonic()


def _settle(answered: asyncio.Future[bool], *, accepted: bool) -> None:
    if not answered.done():
        answered.set_result(accepted)
