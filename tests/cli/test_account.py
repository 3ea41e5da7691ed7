"""Logging in and out, and who one is."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Cli
from tribe_ws import running
from tribe_ws.clock import new_id
from tribe_ws.server.local import LocalServer


def name() -> str:
    return "u" + new_id().replace("-", "")[-12:]


def test_a_demo_user_logs_in_without_a_password(cli: Cli, server: LocalServer) -> None:
    result = cli("login", "alice")
    assert result.exit_code == 0
    assert "as alice (Alice Ames)" in result.stdout
    assert "tribe-ws conversations list" in result.stderr


def test_whoami_tells_who_where_and_until_when(cli: Cli, server: LocalServer) -> None:
    cli("login", "alice")
    text = cli("whoami").stdout
    assert "alice (Alice Ames), alice@tribe.test" in text
    assert server.url in text
    assert "token good for 60 min" in text
    shown = json.loads(cli("whoami", "--json").stdout)
    assert shown["user"]["username"] == "alice"
    assert shown["server"] == server.url


def test_as_logs_in_by_itself_on_our_own_server(cli: Cli, server: LocalServer) -> None:
    assert cli("whoami", "--as", "cara").stdout.startswith("cara")
    refused = cli("whoami")
    assert refused.exit_code == 4
    assert "not logged in" in refused.stderr


def test_as_logs_in_nowhere_else(cli: Cli, server: LocalServer) -> None:
    for record in running.runtime_folder().iterdir():
        record.unlink()
    result = cli("whoami", "--as", "cara")
    assert result.exit_code == 4
    assert " as cara" in result.stderr
    assert "tribe-ws login cara" in result.stderr
    assert "demo users on a local server: alice, bob, cara, dan" in result.stderr


def test_as_logs_in_only_demo_users(cli: Cli, server: LocalServer) -> None:
    assert cli("whoami", "--as", "mallory").exit_code == 4


def test_a_password_comes_from_stdin_and_never_from_the_command_line(cli: Cli, server: LocalServer) -> None:
    wrong = cli("login", "alice", "--password-stdin", input="Wrong-password-1\n")
    assert wrong.exit_code == 4
    assert "Incorrect email or password" in wrong.stderr
    right = cli("login", "alice", "--password-stdin", input="Tribe-demo-1\n")
    assert right.exit_code == 0
    assert cli("login", "alice", "--password", "Tribe-demo-1").exit_code == 2
    empty = cli("login", "alice", "--password-stdin")
    assert empty.exit_code == 2
    assert "no password came on stdin" in empty.stderr


def test_without_a_terminal_nobody_is_asked(cli: Cli, server: LocalServer) -> None:
    result = cli("login", "erin")
    assert result.exit_code == 2
    assert "--password-stdin" in result.stderr


def test_register_logs_in(cli: Cli, server: LocalServer) -> None:
    username = name()
    made = cli("register", username, "--name", "Erin Gray", "--password-stdin", input="Secret-123\n")
    assert made.exit_code == 0, made.stderr
    assert f"registered {username}" in made.stdout
    assert f"{username} (Erin Gray), {username}@tribe.test" in cli("whoami").stdout
    again = cli("register", username, "--json", "--password-stdin", input="Secret-123\n")
    assert again.exit_code == 1
    assert "already" in json.loads(again.stderr)["error"]["message"]


def test_logout_forgets_and_revokes(cli: Cli, server: LocalServer) -> None:
    cli("login", "alice")
    result = cli("logout", "--json")
    assert json.loads(result.stdout) == {"username": "alice", "server": server.url, "revoked": True}
    assert cli("whoami").exit_code == 4
    again = cli("logout", "--as", "alice")
    assert again.exit_code == 4
    assert " as alice" in again.stderr


def test_logout_forgets_even_where_nobody_answers(
    cli: Cli, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tribe_ws_cli.environment import resolve
    from tribe_ws_cli.profiles import Login

    store = resolve({}).store
    store.save_login(Login("http://127.0.0.1:9", "alice", "u", access_token="a.b.c", refresh_token="d.e.f"))
    monkeypatch.setenv("TRIBE_WS_URL", "http://127.0.0.1:9")
    result = cli("logout")
    assert result.exit_code == 0
    assert "could not revoke" in result.stderr
    assert store.logins("http://127.0.0.1:9") == ()


def test_a_token_from_the_environment_acts_by_itself(cli: Cli, server: LocalServer) -> None:
    bob = server.run(server.services.storage.users.by_login("bob"))
    assert bob is not None
    token = server.services.tokens.access(bob)
    result = cli("whoami", env={"TRIBE_WS_TOKEN": token})
    assert result.stdout.startswith("bob")
    assert "renewed" not in result.stdout


def test_a_refused_token_is_exit_4_and_says_how_to_get_another(cli: Cli, server: LocalServer) -> None:
    result = cli("whoami", env={"TRIBE_WS_TOKEN": "eyJhbGciOiJIUzI1NiJ9.e30.x"})
    assert result.exit_code == 4
    assert "tribe-ws login USER" in result.stderr
    assert "eyJ" not in result.stderr


def test_nobody_there_is_exit_5_and_says_how_to_start_one(cli: Cli) -> None:
    result = cli("login", "alice", "--url", "127.0.0.1:9", "--password-stdin", input="x\n")
    assert result.exit_code == 5
    assert result.stderr == (
        "error: nothing is listening on 127.0.0.1:9 (connection refused)\n"
        "  start one:  tribe-ws serve --port 9        or look around:  tribe-ws doctor\n"
    )


def test_a_server_with_a_name_is_remembered_by_it(cli: Cli, server: LocalServer) -> None:
    cli("profile", "add", "box", server.url)
    assert cli("login", "alice", "-p", "box", "--json").exit_code == 0
    assert "tribe-ws conversations list -p box" in cli("login", "alice", "-p", "box").stderr
    assert cli("whoami", "-p", "box").stdout.startswith("alice")
