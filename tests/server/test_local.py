"""A server inside a test: with and without a thread of one's own, started, failed, stopped, started again."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.errors import ConfigurationError
from tribe_ws.listening import CannotListen
from tribe_ws.server.local import LocalServer, local_settings


def threads():
    # The threads and not their names: another server of the same process has the same ones.
    return {thread for thread in threading.enumerate() if thread.name.startswith("tribe")}


def test_default_server_is_a_demo_world_on_a_free_port():
    with LocalServer.in_thread() as server:
        assert httpx.get(server.url + "/health", trust_env=False).json()["status"] == "ok"
        assert server.ws_url == f"ws://127.0.0.1:{server.port}/api/v1/ws"
        body = {"email": "alice@tribe.test", "password": "Tribe-demo-1"}
        answer = httpx.post(server.url + "/api/v1/auth/login", json=body, trust_env=False)
        assert answer.status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/health", trust_env=False)


async def test_asynchronous_form_does_the_same():
    async with LocalServer() as server, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(server.url + "/health")).status_code == 200


def test_servers_do_not_know_each_other():
    with LocalServer() as one, LocalServer() as other:
        assert one.port != other.port
        assert one.settings.secret != other.settings.secret
        assert one.pid == other.pid


def test_nothing_is_left_running():
    before = threads()
    with LocalServer(local_settings(fixtures="none")):
        assert threads() != before
    assert threads() == before


def test_stopping_twice_and_stopping_what_never_ran_do_nothing():
    server = LocalServer(local_settings(fixtures="none"))
    server.stop()
    server.start()
    server.stop()
    server.stop()


def test_start_that_fails_raises_the_reason(tmp_path):
    with pytest.raises(ConfigurationError), LocalServer(local_settings(fixtures=str(tmp_path / "no.yaml"))):
        pytest.fail("it started")


def test_taken_port_is_refused():
    with LocalServer(local_settings(fixtures="none")) as server:
        taken = local_settings(fixtures="none", port=server.port)
        with pytest.raises(CannotListen), LocalServer(taken):
            pytest.fail("it started")


def test_parts_are_reached_through_the_servers_own_thread():
    with LocalServer(local_settings(fixtures="none")) as server:
        assert server.call(lambda: threading.current_thread().name) == "tribe-ws server"
        assert server.run(server.services.storage.ping()) is True


def test_clock_may_be_moved_by_hand():
    clock = ManualClock()
    with LocalServer(local_settings(fixtures="none"), clock=clock) as server:
        server.call(lambda: clock.advance(60))
        assert server.services.clock.monotonic() == 60


def test_file_database_outlives_the_server(tmp_path):
    settings = local_settings(db=str(tmp_path / "tribe.db"), fixtures="none")
    with LocalServer(settings) as server:
        user = server.run(server.services.storage.users.create("a@x.test", "ana", "Ana", "x"))
    with LocalServer(settings) as server:
        assert server.run(server.services.storage.users.by_id(user.id)) == user


def test_stopping_is_quick_when_nobody_is_connected():
    server = LocalServer(local_settings(fixtures="none")).start()
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 2
