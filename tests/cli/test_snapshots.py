"""``fixtures snapshot`` and ``fixtures restore``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import DEADLINE, Cli, run, spawn
from tests.cli.test_streams import read_until


def filled(cli: Cli, db: str = "t.db") -> None:
    assert cli("fixtures", "apply", "--db", db).exit_code == 0


def test_a_snapshot_is_a_file_for_its_owner_and_says_so(cli: Cli) -> None:
    filled(cli)
    done = cli("fixtures", "snapshot", "s.json", "--db", "t.db")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("4 users, 3 conversations, ")
    assert "password hashes" in done.stdout
    assert "0600" in done.stdout
    if os.name == "posix":
        assert Path("s.json").stat().st_mode & 0o777 == 0o600
    told = json.loads(cli("fixtures", "snapshot", "s.json", "--db", "t.db", "--json").stdout)
    assert told["users"] == 4


def test_without_a_file_it_goes_to_stdout(cli: Cli) -> None:
    filled(cli)
    done = cli("fixtures", "snapshot", "--db", "t.db")
    document = json.loads(done.stdout)
    assert {user["username"] for user in document["tables"]["users"]} == {"alice", "bob", "cara", "dan"}
    assert "keep it where only you can read it" in done.stderr


def test_a_snapshot_goes_into_another_database_and_makes_the_same_snapshot(cli: Cli) -> None:
    filled(cli)
    cli("fixtures", "snapshot", "s.json", "--db", "t.db")
    done = cli("fixtures", "restore", "s.json", "--db", "fresh.db")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("restored: 4 users, 3 conversations")
    assert "log in again" in done.stdout
    tables = [
        json.loads(cli("fixtures", "snapshot", "--db", db).stdout)["tables"] for db in ("t.db", "fresh.db")
    ]
    assert tables[0] == tables[1]
    text = cli("fixtures", "snapshot", "--db", "t.db").stdout
    piped = cli("fixtures", "restore", "-", "--db", "piped.db", "--json", input=text)
    assert json.loads(piped.stdout)["users"] == 4


def test_a_restore_refuses_where_nobody_can_be_asked(cli: Cli) -> None:
    filled(cli)
    cli("fixtures", "snapshot", "s.json", "--db", "t.db")
    before = cli("fixtures", "snapshot", "--db", "t.db").stdout
    refused = cli("fixtures", "restore", "s.json", "--db", "t.db")
    assert refused.exit_code == 2
    assert "would be replaced" in refused.stderr
    assert "tribe-ws fixtures restore s.json --yes" in refused.stderr
    after = cli("fixtures", "snapshot", "--db", "t.db").stdout
    assert json.loads(after)["tables"] == json.loads(before)["tables"]
    assert cli("fixtures", "restore", "s.json", "--db", "t.db", "--yes").exit_code == 0


def test_on_a_terminal_it_asks(cli: Cli) -> None:
    filled(cli)
    cli("fixtures", "snapshot", "s.json", "--db", "t.db")
    for answer, code, said in ((b"n\n", 2, "nothing was done"), (b"y\n", 0, "")):
        screen, inside = pty.openpty()
        process = spawn("fixtures", "restore", "s.json", "--db", "t.db", stdin=inside)
        os.close(inside)
        os.write(screen, answer)
        _, words = process.communicate(timeout=DEADLINE)
        os.close(screen)
        assert process.returncode == code, words
        assert "Replace everything in" in words
        assert said in words


def test_a_fault_names_the_file_and_the_place_and_changes_nothing(cli: Cli) -> None:
    filled(cli)
    document = json.loads(cli("fixtures", "snapshot", "--db", "t.db").stdout)
    document["tables"]["users"][2]["username"] = None
    Path("s.json").write_text(json.dumps(document))
    refused = cli("fixtures", "restore", "s.json", "--db", "t.db", "--yes")
    assert refused.exit_code == 3
    assert "s.json: the snapshot cannot be restored: users[2].username must not be null" in refused.stderr
    Path("s.json").write_text('{\n"format": oops}')
    assert "s.json:2: that is no JSON" in cli("fixtures", "restore", "s.json", "--yes").stderr
    Path("s.json").write_bytes(b"\xff\xfe")
    assert "no JSON in UTF-8" in cli("fixtures", "restore", "s.json", "--yes").stderr
    assert cli("fixtures", "restore", "nowhere.json", "--yes").exit_code == 3


def test_a_database_that_is_not_there_is_not_made(cli: Cli) -> None:
    refused = cli("fixtures", "snapshot", "--db", "none.db")
    assert refused.exit_code == 3
    assert "there is no database none.db" in refused.stderr
    assert not Path("none.db").exists()


def test_a_database_that_is_served_is_refused_and_stays(cli: Cli) -> None:
    filled(cli)
    cli("fixtures", "snapshot", "s.json", "--db", "t.db")
    server = spawn("serve", "--port", "0", "--db", "t.db")
    try:
        read_until(server.stdout, "Ctrl+C stops")
        for words in (("snapshot", "again.json"), ("restore", "s.json", "--yes")):
            refused = run("fixtures", *words, "--db", "t.db")
            assert refused.returncode == 3
            assert f"is already served by process {server.pid}" in refused.stderr
            assert "stop that server first" in refused.stderr
        assert not Path("again.json").exists()
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE)


def test_users_can_log_in_after_a_restore(cli: Cli) -> None:
    filled(cli)
    cli("fixtures", "snapshot", "s.json", "--db", "t.db")
    cli("fixtures", "restore", "s.json", "--db", "fresh.db")
    server = spawn("serve", "--port", "0", "--db", "fresh.db", "--fixtures", "none", "--json")
    try:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        done = subprocess.run(
            [sys.executable, "-m", "tribe_ws_cli", "login", "bob", "--password-stdin", "--url", url],
            input="Tribe-demo-1\n", capture_output=True, text=True, timeout=DEADLINE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE)
