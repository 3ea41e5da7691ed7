"""Known users and conversations, in a database file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from tests.cli.conftest import DEADLINE, Cli, run, spawn
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


def world_of_the_page() -> str:
    page = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (block,) = (block for block in blocks if "\nusers:" in block or block.startswith("users:"))
    return str(block)


def test_the_world_on_the_page_can_be_filled_in_and_has_the_ids_it_promises(cli: Cli) -> None:
    Path("team.yaml").write_text(world_of_the_page(), "utf-8")
    done = cli("fixtures", "apply", "team.yaml", "--db", "t.db")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("team: 2 users, 2 conversations, 2 messages made")
    tables = json.loads(cli("fixtures", "snapshot", "--db", "t.db").stdout)["tables"]
    namespace = uuid5(NAMESPACE_URL, "urn:tribe-ws:fixtures")
    for table, aliases in {
        "users": ("user:ana", "user:ben"),
        "conversations": ("conversation:runners", "conversation:ana+ben"),
        "messages": ("message:runners:1", "message:runners:2"),
    }.items():
        assert {row["id"] for row in tables[table]} == {str(uuid5(namespace, alias)) for alias in aliases}


def test_a_server_is_filled_with_the_world_of_a_file() -> None:
    Path("team.yaml").write_text(world_of_the_page(), "utf-8")
    server = spawn("serve", "--port", "0", "--db", ":memory:", "--fixtures", "team.yaml", "--json")
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        assert ready["users"] == ["ana", "ben"]
        assert [one["label"] for one in ready["conversations"]] == ["#Morning runners", "ana+ben"]
        password = {"input": "Correct-horse-1\n"}
        done = run("login", "ana@example.com", "--password-stdin", "--url", ready["url"], **password)
        assert done.returncode == 0, done.stderr
        history = run(
            "history", "Morning runners", "--url", ready["url"], "--as", "ana@example.com", "--json"
        )
        assert "Who is in for Saturday?" in history.stdout, history.stderr
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE)


def test_a_mistake_in_a_world_keeps_the_server_from_starting_and_names_its_line() -> None:
    Path("team.yaml").write_text(world_of_the_page().replace("from: ben", "from: bob"), "utf-8")
    refused = run("serve", "--port", "0", "--db", ":memory:", "--fixtures", "team.yaml")
    assert refused.returncode == 3
    line = 1 + world_of_the_page()[: world_of_the_page().index("from: ben")].count("\n")
    assert f"team.yaml:{line}: 'bob' is no participant of this conversation" in refused.stderr
    assert "Traceback" not in refused.stderr
