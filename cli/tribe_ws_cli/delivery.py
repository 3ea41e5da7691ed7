"""Proof that a message arrived: a session of the receiver, opened before the message is sent."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from tribe_ws.capture.names import Names, short_id
from tribe_ws.client.events import Event
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.stream import EventStream
from tribe_ws.errors import NotAllowed, WaitedInVain
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.identity import acting


class Delivery:
    """The receiver's side of one conversation, for the length of an ``async with``."""

    def __init__(self, environment: Environment, receiver: str, conversation_id: str, names: Names) -> None:
        self._environment = environment
        self._receiver = receiver
        self._conversation_id = conversation_id
        self._names = names
        self._stack = AsyncExitStack()
        self._stream: EventStream | None = None

    async def __aenter__(self) -> Self:
        self._require_participant()
        async with AsyncExitStack() as stack:
            identity = await stack.enter_async_context(acting(self._environment, self._receiver))
            assert identity.rest.source is not None
            self._stream = await stack.enter_async_context(
                EventStream(
                    self._environment.address, identity.rest.source, options=StreamOptions(reconnect=False)
                )
            )
            await self._stream.subscribe(self._conversation_id, timeout=self._environment.timeout)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def wait_for(self, message_id: str, began: float) -> float:
        """Wait until the message arrives; tell the seconds since the sending ``began`` (monotonic).

        Raises ``WaitedInVain``.
        """
        assert self._stream is not None

        def is_it(event: Event) -> bool:
            return event.message_id == message_id

        try:
            event = await self._stream.wait_for(is_it, self._environment.timeout, what="the message")
        except WaitedInVain as error:
            seconds = self._environment.timeout
            raise WaitedInVain(
                f"{self._receiver} did not receive {short_id(message_id)} in {seconds:g} s",
                seconds=error.seconds,
                hint="the server has stored it, but sent it to none of the receiver's connections",
            ) from None
        return max(0.0, (event.received_at or time.monotonic()) - began)

    def _require_participant(self) -> None:
        people = self._names.user_names(self._conversation_id)
        if people and self._receiver not in people:
            label = self._names.label(self._conversation_id)
            raise NotAllowed(
                f"{self._receiver} is not in {label}, and so never gets what is said there",
                hint=f"in it: {' '.join(people)}        tribe-ws conversations add {label} {self._receiver}",
            )
