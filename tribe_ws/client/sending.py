"""Sends that are never doubled: every send has an idempotency key, and a repetition has the same one.

A send that got no answer may have been stored. It is repeated only where the key is known to be honoured;
elsewhere the error says that nobody knows, and the caller decides.
"""

from __future__ import annotations

from dataclasses import dataclass
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


class Sender:
    """Posts messages to one server and remembers whether that server honours idempotency keys."""

    def __init__(self, calls: RestCalls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._honours_keys = False

    async def send(self, path: str, body: dict[str, Any], *, key: str | None, patience: float) -> Sent:
        """Post one message; repeats it as far as ``patience`` and the server allow."""
        key = key or new_id()
        backoff = Backoff(first=0.2, ceiling=2.0)
        give_up_at = self._clock.monotonic() + patience
        while True:
            try:
                answer = await self._calls.call("POST", path, body=body, headers={"Idempotency-Key": key})
            except CannotConnect as error:
                is_first_doubt = isinstance(error, NoAnswer) and backoff.tries == 0
                delay = 0.0 if is_first_doubt and patience <= 0 else backoff.next_delay()
                # One repetition is always worth it: a kept connection to a restarted server fails like that.
                backoff.tries = max(backoff.tries, 1)
                if not is_first_doubt and self._clock.monotonic() + delay > give_up_at:
                    raise _with_key(error, key) from None
                if isinstance(error, NoAnswer) and not await self._may_repeat(give_up_at):
                    raise _with_key(error, key) from None
                await self._clock.sleep(delay)
            else:
                self._honours_keys |= any(name in answer.headers for name in _OUR_HEADERS)
                return Sent(answer, key, backoff.tries + 1)

    async def _may_repeat(self, give_up_at: float) -> bool:
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


def _with_key(error: CannotConnect, key: str) -> CannotConnect:
    """Say of a send without an answer that it may have been stored, and how to repeat it safely."""
    if not isinstance(error, NoAnswer):
        return error
    return NoAnswer(
        f"{error.message}; the message may have been stored or not",
        reason=error.reason,
        url=error.url,
        hint=f"repeat it under the same key, it is not stored twice:  --idempotency-key {key}",
    )
