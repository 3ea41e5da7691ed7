"""Stopping in time: whoever does not go by himself is cut off, whatever holds him."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

from tests.server.conftest import PATIENCE, running, wait_until


def test_request_that_waits_for_ever_does_not_keep_the_server(monkeypatch):
    waiting = threading.Event()

    async def wait_for_ever(_new):
        waiting.set()
        await asyncio.Event().wait()

    with running(stop_timeout=1.0) as backend:
        ana = backend.person()
        room = backend.group(ana, backend.person())
        monkeypatch.setattr(backend.services.storage.messages, "send", wait_for_ever)
        head = f"POST /api/v1/conversations/{room}/messages HTTP/1.1\r\nHost: localhost\r\n"
        head += f"Authorization: Bearer {ana.token}\r\nContent-Length: 15\r\n\r\n"
        with socket.create_connection(("127.0.0.1", backend.server.port), timeout=PATIENCE) as connection:
            connection.sendall(head.encode() + b'{"content":"x"}')
            assert waiting.wait(PATIENCE)
            started = time.monotonic()
            backend.server.stop()
            assert time.monotonic() - started < PATIENCE
            assert connection.recv(1024) == b""


def test_request_that_is_being_answered_is_finished(monkeypatch, start):
    backend = start(stop_timeout=20.0)
    ana = backend.person()
    room = backend.group(ana, backend.person())
    waiting, answers = threading.Event(), []
    send = backend.services.storage.messages.send

    async def wait_for_the_stop(new):
        waiting.set()
        await backend.server._runner._stopping.wait()
        return await send(new)

    monkeypatch.setattr(backend.services.storage.messages, "send", wait_for_the_stop)
    sending = threading.Thread(target=lambda: answers.append(backend.say(ana, room).status_code))
    sending.start()
    assert waiting.wait(PATIENCE)
    backend.server.stop()
    sending.join()
    assert answers == [201]


def test_second_stop_cuts_off_at_once(start):
    backend = start(stop_timeout=60.0)
    with socket.create_connection(("127.0.0.1", backend.server.port), timeout=PATIENCE) as connection:
        connection.sendall(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
        )
        wait_until(lambda: backend.server.call(lambda: len(backend.server._runner.server_state.tasks)))
        stopping = threading.Thread(target=backend.server.stop)
        stopping.start()
        wait_until(lambda: backend.server._runner.should_exit)
        backend.server._runner.stop_from_outside()
        stopping.join(PATIENCE)
        assert not stopping.is_alive()


def test_date_header_moves_on(backend):
    first = backend.get("/openapi.json").headers["Date"]
    wait_until(lambda: backend.get("/openapi.json").headers["Date"] != first)
