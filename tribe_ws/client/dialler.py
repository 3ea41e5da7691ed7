"""Opens a stream's connections: the first, and after each loss the next one, as the policy says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tribe_ws.client.backoff import Backoff
from tribe_ws.client.connection import Connection, open_connection
from tribe_ws.client.events import Reconnecting, TokenRenewed, WireLine
from tribe_ws.client.memory import Memory
from tribe_ws.client.reconnecting import GiveUp, ReconnectPolicy, Renew, TryAgain, Verdict
from tribe_ws.client.tokens import TokenKeeper
from tribe_ws.errors import AuthenticationError, TribeError
from tribe_ws.protocol.urls import ServerAddress


class Dialler:
    """Gets connections for one stream; ``is_dialling`` tells an attempt from the wait before it."""

    def __init__(
        self, address: ServerAddress, memory: Memory, on_wire: Callable[[WireLine], None] | None
    ) -> None:
        self.is_dialling = False
        self._address = address
        self._memory = memory
        self._on_wire = on_wire
        self._token = ""
        self._connections = 0
        self._hurry = asyncio.Event()
        options = memory.options
        self._policy = ReconnectPolicy(
            is_enabled=options.reconnect,
            max_tries=options.max_tries,
            backoff=Backoff(options.first_delay, options.longest_delay, memory.rng),
            steady_after=options.steady_after,
        )

    def hurry(self) -> None:
        """Make the present or the next wait no wait, and a reconnect happen where none would by itself."""
        self._hurry.set()

    async def first(self) -> Connection:
        """Open the first connection, with a renewed token if need be; any other failure is raised at once."""
        try:
            connection = await self._dial()
        except TribeError as error:
            verdict = self._policy.failed(error)
            if not isinstance(verdict, Renew):
                raise
            await self._renew(verdict)
            connection = await self._dial()
        return self._opened(connection)

    async def next(self, ending: TribeError, *, open_for: float) -> tuple[Connection, int] | None:
        """Open the next connection and tell the attempts it took; ``None`` after a normal close.

        Raises what makes it pointless to go on.
        """
        # A reconnect that was asked for happens also where none happens by itself.
        is_asked_for = self._hurry.is_set()
        verdict = (
            self._policy.failed(ending) if is_asked_for else self._policy.ended(ending, open_for=open_for)
        )
        attempt = 0
        while not isinstance(verdict, GiveUp):
            attempt += 1
            try:
                if isinstance(verdict, Renew):
                    await self._renew(verdict)
                await self._pause(attempt, verdict)
                return self._opened(await self._dial()), attempt
            except TribeError as error:
                verdict = self._policy.failed(error)
        if verdict.error is not None:
            raise verdict.error
        return None

    def _opened(self, connection: Connection) -> Connection:
        self._policy.opened()
        self._hurry.clear()
        return connection

    async def _pause(self, attempt: int, verdict: Verdict) -> None:
        assert isinstance(verdict, Renew | TryAgain)
        clock = self._memory.clock
        await self._memory.buffer.put(Reconnecting(clock.now(), attempt, verdict.delay, verdict.error))
        timer = clock.call_later(verdict.delay, self._hurry.set)
        try:
            await self._hurry.wait()
        finally:
            timer.cancel()
            self._hurry.clear()

    async def _dial(self) -> Connection:
        self.is_dialling = True
        try:
            self._token = await self._memory.source.current()
            connection = await open_connection(
                self._address,
                self._token,
                clock=self._memory.clock,
                timeouts=self._memory.options.timeouts,
                on_wire=self._on_wire,
                offers_v2=self._memory.options.offers_v2,
                number=self._connections + 1,
            )
            self._connections += 1
            return connection
        finally:
            self.is_dialling = False

    async def _renew(self, verdict: Renew) -> None:
        source = self._memory.source
        try:
            await source.renew(self._token)
        except AuthenticationError as refusal:
            self._policy.renewed()  # To no avail: whatever is refused from here on ends the stream.
            # Where nothing could be tried, the server's first word says more.
            raise (verdict.error if refusal.reason == "no_refresh_token" else refusal) from None
        self._policy.renewed()
        ends_at = source.tokens.ends_at if isinstance(source, TokenKeeper) else None
        await self._memory.buffer.put(TokenRenewed(self._memory.clock.now(), ends_at))
