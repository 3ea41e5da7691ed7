"""Known users and conversations, in a database file."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli
from tribe_ws.demo_accounts import fixture_id


def test_list_tells_the_same_ids_on_every_machine(cli: Cli) -> None:
    text = cli("fixtures", "list").stdout
    assert fixture_id("user:alice") in text
    assert fixture_id("conversation:general") in text
    variables = dict(line.split("=") for line in cli("fixtures", "list", "--print-env").stdout.splitlines())
    assert variables["TRIBE_WS_USER_ALICE"] == fixture_id("user:alice")
    assert variables["TRIBE_WS_CONVERSATION_GENERAL"] == fixture_id("conversation:general")
    world = json.loads(cli("fixtures", "list", "--json").stdout)
    assert [user["username"] for user in world["users"]] == ["alice", "bob", "cara", "dan"]


def test_apply_fills_in_what_is_missing(cli: Cli) -> None:
    first = cli("fixtures", "apply", "--db", "t.db")
    assert first.exit_code == 0, first.stderr
    assert "4 users" in first.stdout
    assert "all of it was there already" in cli("fixtures", "apply", "--db", "t.db").stdout
    assert json.loads(cli("fixtures", "apply", "--db", "t.db", "--json").stdout)["users_created"] == 0
    assert "TRIBE_WS_USER_BOB=" in cli("fixtures", "apply", "--db", "t.db", "--print-env").stdout


def test_reset_asks_and_refuses_where_nobody_can_be_asked(cli: Cli) -> None:
    cli("fixtures", "apply", "--db", "t.db")
    before = Path("t.db").read_bytes()
    refused = cli("fixtures", "reset", "--db", "t.db")
    assert refused.exit_code == 2
    assert "would be lost" in refused.stderr
    assert "--yes" in refused.stderr
    assert Path("t.db").read_bytes() == before
    done = cli("fixtures", "reset", "--db", "t.db", "--yes")
    assert done.exit_code == 0
    assert done.stdout.startswith("fresh: 4 users")
    assert (
        json.loads(cli("fixtures", "reset", "--db", "t.db", "--yes", "--json").stdout)["users_created"] == 4
    )


def test_reset_mends_a_file_that_is_no_database(cli: Cli) -> None:
    Path("t.db").write_bytes(b"not a database" * 1000)
    assert cli("fixtures", "apply", "--db", "t.db").exit_code == 3
    assert cli("fixtures", "reset", "--db", "t.db", "--yes").exit_code == 0


def test_only_a_file_can_be_reset(cli: Cli) -> None:
    refused = cli("fixtures", "reset", "--db", ":memory:", "--yes")
    assert refused.exit_code == 3
    assert "only a database file can be reset" in refused.stderr


def test_an_unknown_world_is_named(cli: Cli) -> None:
    refused = cli("fixtures", "list", "nowhere")
    assert refused.exit_code == 3
    assert "nowhere" in refused.stderr
    assert cli("fixtures", "reset", "nowhere", "--db", "t.db", "--yes").exit_code == 3
