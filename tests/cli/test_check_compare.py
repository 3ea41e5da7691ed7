"""``check --compare`` with two real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli, record_of
from tribe_ws import running
from tribe_ws.server.local import LocalServer, local_settings

ONLY = ("--only", "messages.order", "--only", "conversations.unknown")


@pytest.fixture
def quirky(server: LocalServer) -> Iterator[LocalServer]:
    """A second server of ours, with one deviation."""
    with LocalServer(local_settings(quirks=("page-ignored",))) as other:
        running.announce(record_of(other))
        yield other


def test_the_differences_are_shown_as_a_table(cli: Cli, quirky: LocalServer) -> None:
    result = cli("check", *ONLY, "--compare", quirky.url)
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["one", quirky.url] not in lines
    assert ["other", quirky.url] in lines
    assert ["messages.order", "pass", "fail"] in lines
    assert "conversations.unknown" not in result.stdout
    assert "1 of 2 clauses differ" in result.stdout


def test_as_json_both_reports_come_along(cli: Cli, server: LocalServer, quirky: LocalServer) -> None:
    result = cli("check", quirky.url, *ONLY, "--compare", server.url, "--format", "json")
    said = json.loads(result.stdout)
    assert result.exit_code == 8, "it is the first one that is judged"
    assert (said["one"]["url"], said["other"]["url"]) == (quirky.url, server.url)
    assert [(one["id"], one["one"], one["other"]) for one in said["verdicts"]] == [
        ("messages.order", "fail", "pass")
    ]


def test_accounts_from_stdin_are_meant_for_both(cli: Cli, quirky: LocalServer) -> None:
    accounts = "alice@tribe.test:Tribe-demo-1\nbob@tribe.test:Tribe-demo-1\n"
    result = cli("check", *ONLY, "--compare", quirky.url, "--accounts-stdin", "--json", input=accounts)
    said = json.loads(result.stdout)
    assert said["one"]["people"] == said["other"]["people"] == ["alice", "bob"]


def test_a_comparison_is_no_junit(cli: Cli, server: LocalServer) -> None:
    result = cli("check", "--compare", server.url, "--format", "junit")
    assert result.exit_code == 2
    assert "a comparison has no form junit" in result.stderr
