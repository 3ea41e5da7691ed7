"""``check`` on the command line: who it acts as, what it prints, how it exits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.check.foreign_server import PEOPLE, foreign_server
from tests.cli.conftest import Cli, record_of, run
from tribe_ws import running
from tribe_ws.demo_accounts import DEMO_PASSWORD
from tribe_ws.server.local import LocalServer, local_settings
from tribe_ws_cli.checking import ACCOUNTS_VARIABLE

QUICK = ("--only", "ping.*", "--only", "document.server-pong")
LINES = f"alice:{DEMO_PASSWORD}\nbob:{DEMO_PASSWORD}\n"


@pytest.fixture
def broken(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """A server of ours that puts no Z at the end of a moment, and has no control API."""
    with LocalServer(local_settings(quirks=("offset-timestamps",), control="off")) as server:
        running.announce(record_of(server))
        monkeypatch.setenv("TRIBE_WS_URL", server.url)
        yield server


@pytest.mark.usefixtures("server")
def test_on_our_own_server_the_demo_users_are_found(cli: Cli) -> None:
    result = cli("check", *QUICK)
    assert result.exit_code == 0, result.output
    assert "  pass         ping.pong" in result.stdout
    assert " as alice, bob, cara, level documented: 2 pass" in result.stdout
    assert result.stderr == ""


def test_a_broken_clause_exits_8_and_tells_everything(cli: Cli, broken: LocalServer) -> None:
    result = cli("check", broken.url, "--only", "message.timestamp", "--only", "message.once")
    assert result.exit_code == 8, result.output
    assert "fail         message.timestamp" in result.stdout
    assert "seen  created_at was to be UTC as 2024-01-01T12:00:00.000Z, and is" in result.stdout
    assert "mend  write created_at in UTC with milliseconds and Z" in result.stdout
    assert "pass         message.once" in result.stdout
    assert "broken: message.timestamp" in result.stdout


@pytest.mark.usefixtures("broken")
def test_the_forms_for_programs_hold_the_failure(cli: Cli) -> None:
    only = ("--only", "message.timestamp")
    as_json = cli("check", *only, "--json")
    assert as_json.exit_code == 8
    assert json.loads(as_json.stdout)["counts"]["fail"] == 1
    sarif = json.loads(cli("check", *only, "--format", "sarif", "--points-to", "api.md").stdout)
    (result,) = sarif["runs"][0]["results"]
    assert result["ruleId"] == "message.timestamp"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "api.md"
    junit = ET.fromstring(cli("check", *only, "--format", "junit").stdout)
    assert junit.get("failures") == "1"


def test_a_server_found_by_its_record_is_asked_for_tokens(
    cli: Cli, running_demo_server: LocalServer, home: Path
) -> None:
    key = running_demo_server.control_key
    running.announce(replace(record_of(running_demo_server), control_key=key))
    result = cli("check", running_demo_server.url, "--only", "connect.token-expired")
    assert "pass         connect.token-expired" in result.stdout


async def test_accounts_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    lines = "".join(f"{one.name}:{one.password}\n" for one in PEOPLE)
    async with foreign_server() as (_, address):
        result = run("check", address.base_url, *QUICK, env=environment(**{ACCOUNTS_VARIABLE: lines}))
    assert result.returncode == 0, result.stderr
    assert " as ana, ben, cem, " in result.stdout


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **more}


def test_accounts_come_from_stdin_and_never_from_the_command_line(cli: Cli, server: LocalServer) -> None:
    result = cli("check", *QUICK, "--accounts-stdin", input=LINES)
    assert result.exit_code == 0, result.output
    assert " as alice, bob, " in result.stdout
    assert "two accounts only: what a stranger must not see is skipped" in result.stderr
    refused = cli("check", *QUICK, "--account", "alice:secret")
    assert refused.exit_code == 2
    assert "a password does not belong on a command line" in refused.stderr


def test_an_account_may_be_one_that_is_logged_in(cli: Cli, server: LocalServer) -> None:
    assert cli("login", "bob").exit_code == 0
    running.withdraw(record_of(server))
    result = cli("check", *QUICK, "--account", "bob")
    assert result.exit_code == 0, result.output
    assert " as bob, level" in result.stdout
    assert "one account only" in result.stderr
    by_itself = cli("check", *QUICK)
    assert " as bob, level" in by_itself.stdout


def test_an_account_named_on_our_server_is_a_demo_user(cli: Cli, server: LocalServer) -> None:
    result = cli("check", *QUICK, "--account", "dan", "--account", "cara@tribe.test")
    assert " as dan, cara, level" in result.stdout


def test_nobody_known_there_exits_4_with_the_mend(cli: Cli, server: LocalServer) -> None:
    running.withdraw(record_of(server))
    result = cli("check", *QUICK)
    assert result.exit_code == 4
    assert "a check logs in, and nobody is known at" in result.stderr
    assert "--account USER --account USER" in result.stderr
    unasked = cli("check", *QUICK, "--account", "erin")
    assert unasked.exit_code == 2


def test_a_wrong_password_exits_4(cli: Cli, server: LocalServer) -> None:
    result = cli("check", *QUICK, "--accounts-stdin", input="alice:Wrong-pass-1\n")
    assert result.exit_code == 4
    assert "the server refused the login of alice" in result.stderr
    assert "Wrong-pass" not in result.output


@pytest.mark.parametrize("line", ["alice", "alice:"])
def test_a_line_that_is_no_account_is_refused(cli: Cli, server: LocalServer, line: str) -> None:
    result = cli("check", *QUICK, "--accounts-stdin", input=f"\n{line}\n")
    assert result.exit_code == 2
    assert "stdin, line 2: expected user:password" in result.stderr


def test_nobody_there_exits_5(cli: Cli, home: Path) -> None:
    assert cli("check", "http://127.0.0.1:1").exit_code == 5
    assert cli("check", "http://127.0.0.1:1", "--accounts-stdin", input=LINES).exit_code == 5


@pytest.mark.parametrize(
    "wrong",
    [("--level", "x"), ("--format", "x"), ("--budget", "x"), ("--patience", "0"), ("--only", "dance")],
)
def test_wrong_wishes_are_usage(cli: Cli, server: LocalServer, wrong: tuple[str, str]) -> None:
    assert cli("check", *wrong).exit_code in {2, 3}


def test_the_list_asks_nobody(cli: Cli, home: Path) -> None:
    result = cli("check", "http://127.0.0.1:1", "--list", "--only", "typing.lapse", "--only", "close.restart")
    assert result.exit_code == 0
    assert "  typing.lapse                is_typing:true lapses after 6 s" in result.stdout
    assert "· close.restart" in result.stdout
    as_json = cli("check", "--list", "--json", "--level", "v2")
    rows = [json.loads(line) for line in as_json.stdout.splitlines()]
    by_id = {row["id"]: row for row in rows}
    assert "a second account" in by_id["typing.lapse"]["needs"]
    assert by_id["close.restart"]["not_judged"]
    assert {"v2", "documented"} == {row["level"] for row in rows}


def test_two_servers_are_compared(cli: Cli, server: LocalServer, broken: LocalServer) -> None:
    running.announce(record_of(server))
    only = ("--only", "message.timestamp", "--only", "document.server-message-new")
    result = cli("check", server.url, "--compare", broken.url, *only)
    assert result.exit_code == 0, result.output
    assert "message.timestamp" in result.stdout
    as_json = cli("check", broken.url, "--compare", server.url, *only, "--json")
    assert as_json.exit_code == 8
    assert [one["id"] for one in json.loads(as_json.stdout)["verdicts"]] == ["message.timestamp"]
