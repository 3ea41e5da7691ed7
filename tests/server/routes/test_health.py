"""``/health`` and ``/metrics`` (contract 5)."""

from __future__ import annotations

import asyncio

import httpx

from tests.server.conftest import wait_until
from tribe_ws import __version__
from tribe_ws.server.routes import health


def get(backend, path, **headers):
    return httpx.get(backend.url + path, trust_env=False, headers=headers)


def metric(backend, name):
    lines = get(backend, "/metrics").text.splitlines()
    values = [float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)]
    return values[0] if values else 0.0


def test_health_needs_no_token_and_says_what_the_contract_says(backend):
    with backend.socket(backend.person()):
        answer = get(backend, "/health")
    assert answer.status_code == 200
    assert list(answer.json()) == ["status", "version", "database", "broker", "connections"]
    assert answer.json() == {
        "status": "ok", "version": __version__, "database": "ok", "broker": "ok", "connections": 1,
    }  # fmt: skip


def test_database_that_does_not_answer_is_503(start, monkeypatch):
    backend = start()

    async def silence():
        return False

    monkeypatch.setattr(backend.services.storage, "ping", silence)
    answer = get(backend, "/health")
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["database"]) == ("degraded", "unavailable")


def test_database_that_hangs_is_503_too(start, monkeypatch):
    backend = start()

    async def hang():
        await asyncio.Event().wait()

    monkeypatch.setattr(health, "PATIENCE", 0.01)
    monkeypatch.setattr(backend.services.storage, "ping", hang)
    assert get(backend, "/health").status_code == 503


def test_broker_that_is_ill_is_said(start, monkeypatch):
    backend = start()
    monkeypatch.setattr(type(backend.services.hub.broker), "is_healthy", False)
    answer = get(backend, "/health")
    assert (answer.status_code, answer.json()["broker"]) == (200, "unavailable")


def test_metrics_count_what_happens(start):
    backend = start()
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben, room) as socket:
        backend.say(ana, room)
        socket.next()
        socket.send(event="dance")
        socket.events_until_pong()
        assert metric(backend, "tribe_connections") == 1
        assert metric(backend, "tribe_subscriptions") == 1
        assert metric(backend, 'tribe_frames_in_total{event="ping"}') == 1
        assert metric(backend, 'tribe_frames_out_total{event="message.new"}') == 1
        assert metric(backend, 'tribe_drops_total{reason="unknown_event"}') == 1
        assert metric(backend, "tribe_fan_out_seconds_count") >= 1
        assert metric(backend, "tribe_commit_batch_size_count") >= 1
        assert metric(backend, 'tribe_requests_total{status="201"}') >= 2
        assert metric(backend, "tribe_outbox_bytes") == 0
    wait_until(lambda: metric(backend, "tribe_connections") == 0)


def test_two_servers_in_one_process_count_apart(start):
    one, other = start(), start()
    one.say(one.person(), "nowhere")
    assert metric(one, 'tribe_requests_total{status="404"}') == 1
    assert metric(other, 'tribe_requests_total{status="404"}') == 0
