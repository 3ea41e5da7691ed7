"""Driving a server of ours, by its control API."""

from __future__ import annotations

import json
import os

import httpx
import pytest

from tribe_ws import running
from tribe_ws.client.control import ControlClient
from tribe_ws.errors import ApiError, CannotConnect, ConfigurationError, ProtocolViolation
from tribe_ws.running import RunningServer, announce
from tribe_ws.server.local import LocalServer, local_settings


@pytest.fixture(scope="module")
def server():
    with LocalServer(local_settings()) as started:
        yield started


@pytest.fixture
async def control(server):
    async with ControlClient(server.address, server.control_key) as client:
        yield client


def answering(content, status=200):
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    return ControlClient("127.0.0.1:8000", "key", transport=transport)


async def test_it_asks_and_steers(server, control):
    assert (await control.info())["world"]["name"] == "demo"
    assert await control.connections() == []
    assert (await control.clock())["mode"] == "system"
    assert (await control.clock(mode="frozen"))["mode"] == "frozen"
    before = (await control.clock())["ahead"]
    assert (await control.clock(advance="1h"))["ahead"] == pytest.approx(before + 3600, abs=60)
    assert (await control.token("alice", ttl="5m")).count(".") == 2
    assert await control.token("alice", broken="expired") != await control.token("alice")
    assert await control.disconnect("alice") == []
    assert (await control.trigger("pong", "bob"))["connections"] == 0
    edited = await control.trigger("typing", "#general", edits={"data.is_typing": False}, sender="dan")
    assert edited["frame"]["data"] | {"user_id": ""} == {
        "user_id": "",
        "user_name": "Dan Okoro",
        "is_typing": False,
    }
    assert (await control.reset())["world"] == "demo"
    assert (await control.reset("none"))["users"] == []
    assert (await control.reset("demo"))["messages"] > 0
    kept = await control.snapshot()
    assert (await control.reset("none"))["users"] == []
    assert (await control.restore(kept))["users"] == 4
    assert repr(control) == f"ControlClient('{server.url}')"


async def test_it_reads_the_stream(control):
    stream = control.events(conversation="#general", event="typing", after=0)
    assert (await anext(stream))["event"] == "watching"
    await control.trigger("pong", "bob")
    await control.trigger("typing", "#general")
    record = await anext(stream)
    assert (record["event"], record["dir"], record["verdicts"]) == ("typing", "out", [])
    await stream.aclose()


async def test_a_refusal_is_an_error_with_the_servers_words(server, control):
    with pytest.raises(ApiError, match="nobody") as refused:
        await control.token("nobody_at_all")
    assert refused.value.status == 404
    with pytest.raises(ApiError, match="#nowhere"):
        await anext(control.events(conversation="#nowhere"))
    async with ControlClient(server.url, "wrong") as stranger:
        with pytest.raises(ApiError, match="X-Tribe-Control") as refused:
            await stranger.info()
        assert refused.value.status == 403
        with pytest.raises(ApiError):
            await anext(stranger.events())


async def test_what_is_no_server_of_ours_is_said_so():
    with pytest.raises(ProtocolViolation):
        await answering(b"{}").connections()
    with pytest.raises(ApiError, match="502"):
        await anext(answering(b"<html>", 502).events())

    def refuse(request):
        raise httpx.ConnectError("refused")

    silent = ControlClient("127.0.0.1:8000", "key", transport=httpx.MockTransport(refuse))
    with pytest.raises(CannotConnect):
        await anext(silent.events())


def _record(key):
    return RunningServer(
        "http://127.0.0.1:8123", "ws://127.0.0.1:8123/api/v1/ws", os.getpid(), 8123, "1", "db", "demo", key
    )


def test_the_key_comes_from_the_record_of_the_running_server(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "runtime_folder", lambda: tmp_path)
    with pytest.raises(ConfigurationError, match="no server of yours"):
        ControlClient.of_running("127.0.0.1:8123")
    announce(_record(""))
    with pytest.raises(ConfigurationError, match="no control API"):
        ControlClient.of_running("127.0.0.1:8123")
    path = announce(_record("secret key"))
    assert json.loads(path.read_text())["control_key"] == "secret key"
    assert path.stat().st_mode & 0o777 == 0o600
    client = ControlClient.of_running("127.0.0.1:8123")
    assert client._headers == {"X-Tribe-Control": "secret key"}
    assert "secret key" not in repr(client) + repr(_record("secret key"))
    with pytest.raises(ConfigurationError, match="no server of yours"):
        ControlClient.of_running("https://tribe.example:8123")
