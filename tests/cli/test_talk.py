"""Sending, reading back, and the small frames, against a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tribe_ws.clock import new_id
from tribe_ws.server.local import LocalServer

pytestmark = pytest.mark.usefixtures("server")


def test_send_says_what_became_of_the_message(cli: Cli) -> None:
    result = cli("send", "general", "Hello", "there", "--as", "alice")
    assert result.exit_code == 0
    assert re.fullmatch(
        r"sent [0-9a-f]{6} to #general in [\d.]+ m?s\. alice's own connections do not get it \(contract\); "
        r"(nobody else is subscribed now|\d+ other subscribers? do(es)?)\.\n",
        result.stdout,
    )
    assert (
        cli("history", "general", "-n", "1", "--as", "bob")
        .stdout.split("alice: ")[1]
        .startswith("Hello there ")
    )


def test_wait_delivery_proves_that_it_arrived(cli: Cli) -> None:
    result = cli("send", "general", "CI?", "--as", "alice", "--wait-delivery", "bob")
    assert result.exit_code == 0
    assert re.fullmatch(r"sent [0-9a-f]{6}, bob received it after [\d.]+ m?s\n", result.stdout)


def test_who_is_not_in_a_conversation_cannot_be_waited_for(cli: Cli) -> None:
    result = cli("send", "design", "x", "--as", "alice", "--wait-delivery", "bob")
    assert result.exit_code == 4
    assert "bob is not in #design" in result.stderr


def test_delivery_that_does_not_happen_is_exit_7(cli: Cli) -> None:
    # The sender is excluded from the broadcast: alice waits for her own message in vain.
    result = cli("send", "general", "x", "--as", "alice", "--wait-delivery", "alice", "--timeout", "300ms")
    assert result.exit_code == 7
    assert re.search(r"alice did not receive [0-9a-f]{6} in 0.3 s", result.stderr)


def test_send_as_json(cli: Cli) -> None:
    shown = json.loads(cli("send", "@bob", "hi", "--as", "alice", "--wait-delivery", "bob", "--json").stdout)
    assert shown["message"]["content"] == "hi"
    assert shown["recipients"] >= 1
    assert shown["delivered"]["to"] == "bob"
    assert shown["v"] == 1


def test_send_several_at_a_rate(cli: Cli) -> None:
    result = cli("send", "general", "load", "--as", "alice", "--count", "3", "--rate", "100/s", "--json")
    assert len(result.stdout.splitlines()) == 3


def test_send_from_a_file_and_from_stdin(cli: Cli) -> None:
    Path("text.txt").write_text("from a file\n")
    assert cli("send", "general", "--file", "text.txt", "--as", "alice").exit_code == 0
    assert cli("send", "general", "--file", "-", "--as", "alice", input="two\nlines\n").exit_code == 0
    lines = cli("history", "general", "-n", "2", "--as", "alice", "--json").stdout.splitlines()
    assert [json.loads(line)["content"] for line in lines] == ["from a file", "two\nlines"]
    assert cli("send", "general", "x", "--file", "text.txt", "--as", "alice").exit_code == 2
    missing = cli("send", "general", "--file", "missing.txt", "--as", "alice")
    assert missing.exit_code == 3
    assert "missing.txt: No such file or directory" in missing.stderr


def test_a_key_stores_a_message_once(cli: Cli) -> None:
    key = new_id()
    first = cli("send", "general", "once", "--as", "alice", "--idempotency-key", key)
    again = cli("send", "general", "once", "--as", "alice", "--idempotency-key", key)
    assert again.exit_code == 0
    assert "was stored before under this key" in again.stdout
    assert first.stdout.split()[1] == again.stdout.split()[1]


def test_quiet_says_nothing(cli: Cli) -> None:
    assert cli("send", "general", "hush", "--as", "alice", "-q").output == ""


def test_an_unknown_conversation_says_which_was_meant(cli: Cli) -> None:
    result = cli("send", "generl", "x", "--as", "alice")
    assert result.exit_code == 2
    assert result.stderr == (
        'error: no conversation "generl"\n'
        "  did you mean #general?              all: tribe-ws conversations list\n"
    )


def test_history_pages_and_bounds(cli: Cli) -> None:
    name = f"h{new_id()[-8:]}"
    cli("conversations", "create", name, "bob", "--as", "alice")
    cli("send", name, "m", "--as", "alice", "--count", "5")
    messages = [
        json.loads(line) for line in cli("history", name, "--json", "--as", "alice").stdout.splitlines()
    ]
    ids = [message["id"] for message in messages]
    assert len(ids) == 5

    def listed(*args: str) -> list[str]:
        lines = cli("history", name, "--as", "bob", "--json", *args).stdout.splitlines()
        return [json.loads(line)["id"] for line in lines]

    assert listed("-n", "2") == ids[3:]
    assert listed("--before", ids[3], "-n", "2") == ids[1:3]
    assert listed("--after", ids[1]) == ids[2:]
    assert listed("--after", ids[1], "-n", "1") == ids[2:3]
    assert listed("--after", ids[-1]) == []


def test_an_empty_history_says_so(cli: Cli) -> None:
    name = f"e{new_id()[-8:]}"
    cli("conversations", "create", name, "bob", "--as", "alice")
    result = cli("history", name, "--as", "alice")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert f"no messages in #{name}" in result.stderr


def test_escape_sequences_in_a_message_reach_no_terminal(cli: Cli) -> None:
    cli("send", "general", "--file", "-", "--as", "alice", input="\x1b]0;pwned\x07\u202e")
    shown = cli("history", "general", "-n", "1", "--as", "bob")
    assert "\\x1b]0;pwned\\x07\\u202e" in shown.stdout
    assert "\x1b" not in shown.output


def test_conversations(cli: Cli) -> None:
    listed = cli("conversations", "list", "--as", "alice").stdout
    assert "#general" in listed
    assert "@bob" in listed
    name = f"c{new_id()[-8:]}"
    made = cli("conversations", "create", name, "bob", "--as", "alice")
    assert made.exit_code == 0, made.stderr
    assert made.stdout.startswith(f"#{name} ")
    assert "alice bob cara" in cli("conversations", "add", name, "cara", "--as", "alice").stdout
    shown = cli("conversations", "show", name, "--as", "alice").stdout
    assert "admin" in shown
    assert "Cara Diaz" in shown
    assert (
        cli("conversations", "remove", name, "cara", "--as", "alice").stdout == f"removed cara from #{name}\n"
    )
    refused = cli("conversations", "add", name, "dan", "--as", "bob")
    assert refused.exit_code == 4
    details = json.loads(cli("conversations", "show", name, "--as", "alice", "--json").stdout)
    assert details["participants_count"] == 2
    assert isinstance(json.loads(cli("conversations", "list", "--as", "alice", "--json").stdout), list)


def test_a_direct_conversation_is_found_again(cli: Cli) -> None:
    first = cli("conversations", "create", "--direct", "dan", "--as", "cara", "--json")
    again = cli("conversations", "create", "--direct", "dan", "--as", "cara", "--json")
    assert json.loads(first.stdout)["id"] == json.loads(again.stdout)["id"]
    assert cli("conversations", "create", "--direct", "dan", "bob", "--as", "cara").exit_code == 2
    assert cli("conversations", "create", "--direct", "dan", "--as", "cara").stdout.startswith("@dan ")


def test_users(cli: Cli) -> None:
    assert "Bob Stone" in cli("users", "list", "--as", "alice").stdout
    found = json.loads(cli("users", "list", "car", "--as", "alice", "--json").stdout)
    assert [user["username"] for user in found] == ["cara"]
    assert "Bob Stone" in cli("users", "show", "bob", "--as", "alice").stdout
    assert json.loads(cli("users", "show", "bob", "--as", "alice", "--json").stdout)["username"] == "bob"
    unknown = cli("users", "show", "alise", "--as", "bob")
    assert unknown.exit_code == 2
    assert "did you mean alice?" in unknown.stderr
    name = f"n{new_id()[-8:]}"
    added = cli("users", "add", name, "--name", "New One")
    assert added.exit_code == 0
    assert added.stdout.startswith(f"added {name} ")
    assert json.loads(cli("users", "add", f"{name}2", "--json").stdout)["username"] == f"{name}2"


def test_ping_measures(cli: Cli) -> None:
    result = cli("ping", "-c", "2", "--interval", "1ms", "--as", "bob")
    assert result.exit_code == 0
    assert re.search(r"2 pings, 2 pongs, min [\d.]+ / avg [\d.]+ / max [\d.]+ ms", result.stdout)
    shown = json.loads(cli("ping", "-c", "1", "--as", "bob", "--json").stdout)
    assert shown["pings"] == 1
    assert len(shown["times_ms"]) == 1


def test_a_ping_that_takes_too_long_is_exit_9(cli: Cli) -> None:
    result = cli("ping", "-c", "1", "--max-ms", "0", "--as", "bob")
    assert result.exit_code == 9
    assert "0 ms were allowed" in result.stderr


def test_presence(cli: Cli) -> None:
    assert cli("presence", "away", "--as", "bob").stdout == "bob is away\n"
    shown = json.loads(cli("presence", "online", "--as", "bob", "--hold", "1ms", "--json").stdout)
    assert shown == {"v": 1, "user": "bob", "status": "online"}


def test_typing_goes_on_and_off(cli: Cli) -> None:
    result = cli("typing", "general", "--as", "bob", "--for", "60ms")
    assert result.exit_code == 0
    assert result.stdout == "typing in #general: on for 0.1 s, then off\n"
    sent = cli("typing", "general", "--as", "bob", "--text", "k")
    assert re.fullmatch(r"sent [0-9a-f]{6} to #general\n", sent.stdout)
    shown = json.loads(cli("typing", "@alice", "--as", "bob", "--for", "1ms", "--json").stdout)
    assert shown["message"] is None


@pytest.mark.parametrize(
    "args", [("typing", "general", "--for", "long"), ("presence", "away", "--hold", "x")]
)
def test_bad_durations(cli: Cli, args: tuple[str, ...]) -> None:
    assert cli(*args, "--as", "bob").exit_code == 2


def test_an_account_the_server_does_not_let_in_is_exit_4(cli: Cli, server: LocalServer) -> None:
    token = cli(
        "token", "mint", "--broken", "unknown-user", env={"TRIBE_WS_SECRET": server.settings.secret}
    ).stdout
    result = cli("ping", env={"TRIBE_WS_TOKEN": token})
    assert result.exit_code == 4
    assert "4401" in result.stderr or "401" in result.stderr
