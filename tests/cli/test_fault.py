"""Faults of a running server, from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.cli.conftest import Cli, record_of
from tribe_ws import running
from tribe_ws.server.local import LocalServer


@pytest.fixture(autouse=True)
def controlled(server: LocalServer, cli: Cli) -> Iterator[LocalServer]:
    """The demo server, with its key where the command looks for it, and no faults left behind."""
    running.announce(replace(record_of(server), control_key=server.control_key))
    yield server
    assert cli("fault", "clear").exit_code == 0


def test_faults_are_added_listed_and_cleared(cli: Cli, controlled: LocalServer) -> None:
    added = cli("fault", "add", "delay 250ms±50ms @bob #general; drop 5%", "--seed", "7")
    assert added.exit_code == 0, added.stderr
    first, second = added.stdout.splitlines()
    assert first.endswith("is on: delay 250ms±50ms @bob #general")
    assert second.endswith("is on: drop 5%")
    assert controlled.services.hub.faults.seed == 7
    found = json.loads(cli("fault", "list", "--json").stdout)
    assert [one["fault"] for one in found] == ["delay 250ms±50ms @bob #general", "drop 5%"]
    assert "drop 5%" in cli("fault", "list").stdout
    assert cli("fault", "clear", str(found[0]["id"])).stdout == "cleared 1 fault\n"
    assert json.loads(cli("fault", "clear", "--json").stdout) == {"cleared": 1}
    empty = cli("fault", "list")
    assert (empty.stdout, empty.exit_code) == ("", 0)


def test_a_rule_needs_no_quotes(cli: Cli) -> None:
    assert "drop @bob out" in cli("fault", "add", "drop", "@bob", "out").stdout
    assert json.loads(cli("fault", "stall", "@bob", "out", "--json").stdout)[0]["fault"] == "stall @bob out"
    assert "refuse 3 @bob" in cli("fault", "refuse", "3", "@bob").stdout
    assert "refuse 1" in cli("fault", "refuse").stdout


def test_the_sockets_of_a_user_are_closed(cli: Cli) -> None:
    assert cli("fault", "close", "@alice", "4401").stdout == "closed 0 sockets with 4401\n"
    assert json.loads(cli("fault", "close", "alice", "--json").stdout) == {"closed": []}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["burn"], "expected an action first"),
        (["drop", "5"], "expected a filter"),
        ([";"], "no rule was given"),
    ],
)
def test_a_slip_is_said_with_what_would_be_right(cli: Cli, words: list[str], complaint: str) -> None:
    answer = cli("fault", "add", *words)
    assert answer.exit_code == 2
    assert complaint in answer.stderr


def test_a_name_that_nobody_has_is_refused_by_the_server(cli: Cli) -> None:
    answer = cli("fault", "add", "drop @nobody")
    assert answer.exit_code == 1
    assert "there is no user @nobody" in answer.stderr


def test_without_a_server_of_ones_own_there_is_nothing_to_change(cli: Cli) -> None:
    answer = cli("fault", "list", "--url", "http://127.0.0.1:9")
    assert answer.exit_code == 3
    assert "no server of yours runs" in answer.stderr
