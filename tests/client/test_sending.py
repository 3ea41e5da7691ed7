"""A send is never doubled, and never given up where it is safe to repeat it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tribe_ws.client.calls import NoAnswer
from tribe_ws.client.rest import RestClient
from tribe_ws.clock import SystemClock
from tribe_ws.errors import ApiError, CannotConnect

STORED = {"id": "m1", "conversation_id": "c1", "content": "hi"}
OUR_HEALTH = {"status": "ok", "version": "0.1.0", "database": "ok", "broker": "memory", "connections": 1}


class SkippingClock(SystemClock):
    """Sleeps in no time, and lets that time have passed."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        self.skipped += seconds


class Server:
    """Stores what is posted once per key if it ``honours`` keys; ``troubles`` come first, one per post."""

    def __init__(self, *troubles: Exception, honours: bool = True, health: Any = None) -> None:
        self.troubles = list(troubles)
        self.honours = honours
        self.health = OUR_HEALTH if health is None and honours else health
        self.keys: list[str] = []
        self.stored: list[str] = []
        self.health_asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/health":
            self.health_asked += 1
            if isinstance(self.health, list):
                answer = self.health.pop(0)
                if isinstance(answer, Exception):
                    raise answer
                return httpx.Response(200, json=answer)
            return httpx.Response(200 if self.health else 404, json=self.health)
        key = request.headers["idempotency-key"]
        self.keys.append(key)
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, httpx.ConnectError):
            raise trouble
        is_new = not self.honours or key not in self.stored
        if is_new:
            self.stored.append(key)
        if trouble is not None:
            raise trouble
        headers = {} if is_new else {"Idempotency-Replayed": "true"}
        return httpx.Response(201 if is_new else 200, json=STORED, headers=headers)

    def client(self) -> RestClient:
        return RestClient(
            "http://127.0.0.1:8000", "t", transport=httpx.MockTransport(self), clock=SkippingClock()
        )


def lost() -> Exception:
    return httpx.RemoteProtocolError("Server disconnected without sending a response.")


def refused() -> Exception:
    return httpx.ConnectError("refused")


async def test_every_send_has_a_key_of_its_own() -> None:
    server = Server()
    async with server.client() as client:
        for _ in range(3):
            await client.send_message("c1", "hi")
    assert len(set(server.keys)) == 3


async def test_a_send_that_got_no_answer_is_repeated_under_its_key_and_stored_once() -> None:
    server = Server(lost())
    async with server.client() as client:
        sent = await client.send_message("c1", "hi")
    assert (sent.tries, sent.is_replayed) == (2, True)
    assert len(set(server.keys)) == 1
    assert len(server.stored) == 1


async def test_at_a_server_that_may_not_honour_keys_a_doubtful_send_is_not_repeated() -> None:
    server = Server(lost(), honours=False)
    async with server.client() as client:
        with pytest.raises(NoAnswer, match="may have been stored or not") as raised:
            await client.send_message("c1", "hi", patience=60)
    assert len(server.stored) == 1
    assert server.keys[0] in raised.value.hint


@pytest.mark.parametrize("health", [{"status": "ok"}, ["status"], [{"status": "ok"}]])
async def test_a_health_of_another_kind_is_no_promise(health: Any) -> None:
    server = Server(lost(), honours=False, health=health)
    async with server.client() as client:
        with pytest.raises(NoAnswer):
            await client.send_message("c1", "hi", patience=60)
    assert len(server.stored) == 1


async def test_a_server_that_has_shown_it_honours_keys_is_not_asked_again() -> None:
    server = Server(lost())
    async with server.client() as client:
        await client.send_message("c1", "hi")
        server.troubles = [lost(), lost()]
        await client.send_message("c1", "again", patience=60)
    assert server.health_asked == 1
    assert len(server.stored) == 2


async def test_a_send_that_could_not_go_out_is_tried_again_anywhere_while_there_is_patience() -> None:
    server = Server(refused(), refused(), refused(), honours=False)
    async with server.client() as client:
        sent = await client.send_message("c1", "hi", patience=60)
    assert sent.tries == 4
    assert len(server.stored) == 1


async def test_without_patience_nobody_listening_is_told_at_once() -> None:
    server = Server(refused())
    async with server.client() as client:
        with pytest.raises(CannotConnect) as raised:
            await client.send_message("c1", "hi")
    assert not isinstance(raised.value, NoAnswer)
    assert len(server.keys) == 1


async def test_patience_has_an_end() -> None:
    server = Server(*(refused() for _ in range(1000)))
    async with server.client() as client:
        with pytest.raises(CannotConnect):
            await client.send_message("c1", "hi", patience=10)
    assert 3 < len(server.keys) < 1000


async def test_once_in_doubt_a_send_stays_in_doubt_until_it_is_answered() -> None:
    server = Server(lost(), *(refused() for _ in range(1000)))
    async with server.client() as client:
        with pytest.raises(NoAnswer, match="may have been stored or not"):
            await client.send_message("c1", "hi", patience=5)
    assert len(set(server.keys)) == 1


async def test_a_server_that_restarts_is_asked_until_it_is_back() -> None:
    server = Server(lost(), health=[refused(), refused(), OUR_HEALTH])
    async with server.client() as client:
        sent = await client.send_message("c1", "hi", patience=60)
    assert sent.is_replayed
    assert len(server.stored) == 1


async def test_a_server_that_does_not_come_back_is_not_waited_for_beyond_patience() -> None:
    server = Server(lost(), health=[refused() for _ in range(1000)])
    async with server.client() as client:
        with pytest.raises(NoAnswer):
            await client.send_message("c1", "hi", patience=3)


async def test_an_error_status_is_an_answer_and_not_repeated() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(503, json={"detail": "storage_full"}, headers={"Retry-After": "1"})

    async with RestClient("http://127.0.0.1:8000", "t", transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(ApiError) as raised:
            await client.send_message("c1", "hi", patience=60)
    assert raised.value.retry_after == 1.0
