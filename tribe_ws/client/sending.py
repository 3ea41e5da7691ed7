"""Sends that are never doubled: every send has an idempotency key, and a repetition has the same one.

A send that got no answer may have been stored. It is repeated only where the key is known to be honoured;
elsewhere the error says that nobody knows, and the caller decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tribe_ws.client.backoff import Backoff
from tribe_ws.client.calls import Answer, NoAnswer, RestCalls
from tribe_ws.clock import Clock, new_id
from tribe_ws.errors import CannotConnect, TribeError

_OUR_HEADERS = ("tribe-recipients", "idempotency-replayed")
_OUR_HEALTH = frozenset({"broker", "connections"})


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to a send, the key it went under, and how often it went out."""

    answer: Answer
    key: str
    tries: int


@dataclass(slots=True)
class _Attempt:
    """How far one send has got; once in doubt it stays so until an answer comes."""

    give_up_at: float
    tries: int = 0
    is_in_doubt: bool = False
    backoff: Backoff = field(default_factory=lambda: Backoff(first=0.2, ceiling=2.0))


class Sender:
    """Posts messages to one server and remembers whether that server honours idempotency keys."""

    def __init__(self, calls: RestCalls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._honours_keys = False

    async def send(
        self,
        path: str,
        body: dict[str, Any],
        *,
        key: str | None,
        patience: float,
        connection_id: str | None = None,
    ) -> Sent:
        """Post one message; repeats it as far as ``patience`` and the server allow."""
        key = key or new_id()
        headers = {"Idempotency-Key": key}
        if connection_id is not None:
            headers["X-Connection-Id"] = connection_id
        attempt = _Attempt(give_up_at=self._clock.monotonic() + patience)
        while True:
            attempt.tries += 1
            try:
                answer = await self._calls.call("POST", path, body=body, headers=headers)
            except CannotConnect as error:
                if not await self._may_try_again(error, attempt):
                    raise _tell_doubt(error, key) if attempt.is_in_doubt else error from None
            else:
                self._honours_keys |= any(name in answer.headers for name in _OUR_HEADERS)
                return Sent(answer, key, attempt.tries)

    async def _may_try_again(self, error: CannotConnect, attempt: _Attempt) -> bool:
        """Wait before the next try and tell whether there may be one."""
        is_in_doubt_now = isinstance(error, NoAnswer)
        # A kept connection to a server that was restarted fails like that: one repetition costs no patience.
        is_free = is_in_doubt_now and not attempt.is_in_doubt
        attempt.is_in_doubt |= is_in_doubt_now
        delay = 0.0 if is_free else attempt.backoff.next_delay()
        if not is_free and self._clock.monotonic() + delay > attempt.give_up_at:
            return False
        if attempt.is_in_doubt and not await self._server_honours_keys(attempt.give_up_at):
            return False
        await self._clock.sleep(delay)
        return True

    async def _server_honours_keys(self, give_up_at: float) -> bool:
        """Tell whether the server honours keys, asking it for as long as there is patience."""
        backoff = Backoff(first=0.2, ceiling=2.0)
        while not self._honours_keys:
            try:
                health = await self._calls.call("GET", "/health", prefix="", with_token=False)
            except CannotConnect:
                delay = backoff.next_delay()
                if self._clock.monotonic() + delay > give_up_at:
                    return False
                await self._clock.sleep(delay)
            except TribeError:
                return False
            else:
                self._honours_keys = isinstance(health.body, dict) and health.body.keys() >= _OUR_HEALTH
                return self._honours_keys
        return True


def _tell_doubt(error: CannotConnect, key: str) -> CannotConnect:
    """Say of a send without an answer that it may have been stored, and how to repeat it safely."""
    return NoAnswer(
        f"{error.message}; the message may have been stored or not",
        reason=error.reason,
        url=error.url,
        hint=f"repeat it under the same key, it is not stored twice:  --idempotency-key {key}",
    )
