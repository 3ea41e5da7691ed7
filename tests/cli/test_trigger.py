"""``trigger`` against a real server with a control API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.cli.conftest import Cli, record_of
from tribe_ws import running
from tribe_ws.client.rest import RestClient
from tribe_ws.demo_accounts import DEMO_PASSWORD
from tribe_ws.server.local import LocalServer


@pytest.fixture
def server(running_demo_server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    """A demo server whose control key the record of it tells."""
    control_key = running_demo_server.control_key
    running.announce(replace(record_of(running_demo_server), control_key=control_key))
    monkeypatch.setenv("TRIBE_WS_URL", running_demo_server.url)
    return running_demo_server


async def token_of(server: LocalServer, user: str) -> str:
    async with RestClient(server.address) as rest:
        return (await rest.login(user, DEMO_PASSWORD)).tokens.access_token


@pytest.fixture
def dan(server: LocalServer) -> Iterator[ClientConnection]:
    """Dan's only connection, past its ``connected``."""
    token = server.run(token_of(server, "dan"))
    with connect(server.address.socket_url_with(token), proxy=None) as socket:
        assert json.loads(socket.recv(10))["event"] == "connected"
        yield socket


def test_edited_event_arrives_at_the_user(cli: Cli, dan: ClientConnection) -> None:
    result = cli("trigger", "message.new", "--to", "dan", "--set", "data.content=hi", "--from", "cara")
    assert (result.exit_code, result.stdout) == (0, "message.new went to 1 connection of dan\n")
    frame = json.loads(dan.recv(10))
    assert frame["event"] == "message.new"
    assert frame["data"]["content"] == "hi"
    assert frame["data"]["sender"]["username"] == "cara"


def test_values_are_json_where_they_can_be(cli: Cli, dan: ClientConnection) -> None:
    assert cli("trigger", "typing", "--to", "@dan", "--set", "data.is_typing=false").exit_code == 0
    assert json.loads(dan.recv(10))["data"]["is_typing"] is False


def test_event_that_breaks_the_contract_needs_raw(cli: Cli, dan: ClientConnection) -> None:
    edit = ("--to", "dan", "--set", "data.is_typing=maybe")
    refused = cli("trigger", "typing", *edit)
    assert refused.exit_code == 2
    assert "cannot push typing: " in refused.stderr
    assert "is_typing" in refused.stderr
    assert cli("trigger", "typing", *edit, "--raw").exit_code == 0
    assert json.loads(dan.recv(10))["data"]["is_typing"] == "maybe"


@pytest.mark.usefixtures("server")
def test_unknown_event_is_refused_with_the_known_ones(cli: Cli) -> None:
    result = cli("trigger", "mesage.new", "--to", "dan")
    assert result.exit_code == 2
    assert "expected one of " in result.stderr


@pytest.mark.usefixtures("server")
def test_event_that_reaches_nobody_is_said_to(cli: Cli) -> None:
    result = cli("trigger", "typing", "--to", "#design")
    assert result.exit_code == 0
    assert result.stdout == "typing reached nobody: #design has no connection that carries it\n"


@pytest.mark.usefixtures("server")
def test_unknown_target_is_exit_2(cli: Cli) -> None:
    result = cli("trigger", "pong", "--to", "nobody-at-all")
    assert result.exit_code == 2
    assert "there is no user, conversation or connection" in result.stderr


def test_trigger_as_json_shows_the_frame(cli: Cli, dan: ClientConnection) -> None:
    shown = json.loads(cli("trigger", "pong", "--to", "dan", "--json").stdout)
    assert shown["connections"] == 1
    assert shown["frame"] == {"event": "pong"}
    assert json.loads(dan.recv(10)) == {"event": "pong"}


@pytest.mark.usefixtures("server")
def test_edit_without_a_value_is_exit_2(cli: Cli) -> None:
    result = cli("trigger", "pong", "--to", "dan", "--set", "data.content")
    assert result.exit_code == 2
    assert "write it as  --set data.content=hi" in result.stderr


def test_foreign_server_cannot_be_made_to_push(cli: Cli) -> None:
    result = cli("trigger", "pong", "--to", "dan", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 3
    assert "only a server that you started on this machine can be controlled" in result.stderr
