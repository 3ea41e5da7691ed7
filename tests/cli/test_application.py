"""The frame around the commands: global options, errors, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, run
from tribe_ws import __version__


def test_help_and_version(cli: Cli) -> None:
    assert cli("--version").stdout == f"tribe-ws {__version__}\n"
    assert cli("--help").stdout.startswith("Usage: tribe-ws")
    assert cli().stdout.startswith("Usage: tribe-ws")
    assert cli().exit_code == 0


def test_a_group_without_a_command_prints_its_help(cli: Cli) -> None:
    result = cli("users")
    assert result.exit_code == 0
    assert "list  List users." in result.stdout


def test_help_of_a_command_shows_examples_and_global_options(cli: Cli) -> None:
    text = cli("send", "-h").stdout
    assert (
        text.index("Examples:")
        < text.index("Arguments:")
        < text.index("Options:")
        < text.index("Global options:")
    )
    assert 'tribe-ws send general "Hello" --as alice' in text


@pytest.mark.parametrize(
    ("args", "what", "hint"),
    [
        (("snd",), 'no command "snd"', "did you mean  tribe-ws send?        all:  tribe-ws --help"),
        (
            ("users", "lst"),
            'no command "lst"',
            "did you mean  tribe-ws users list?        all:  tribe-ws users --help",
        ),
        (("xyzzy",), 'no command "xyzzy"', "all:  tribe-ws --help"),
        (("send",), 'missing argument "CONV"', "tribe-ws send --help"),
        (("--bogus",), "no such option: --bogus", "tribe-ws --help"),
        (("send", "general", "hi", "--cnt", "3"), "no such option: --cnt", "tribe-ws send --help"),
        (("send", "general"), "there is nothing to send", 'tribe-ws send general "Hello"'),
        (("ping", "--count", "x"), 'invalid value for "-c" / "--count"', "tribe-ws ping --help"),
        (("presence", "sleepy"), "invalid value", "tribe-ws presence --help"),
        (("watch", "--for", "soon"), "--for: not a duration: 'soon'", ""),
        (("connect", "--linger", "soon"), "--linger: not a duration: 'soon'", ""),
        (
            ("watch", "--filter", "form:bob"),
            'bad filter: unknown field "form"',
            "form:bob\n  ^^^^ did you mean",
        ),
        (("send", "general", "x", "--rate", "fast"), "not a rate: 'fast'", "write 5/s"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_to_do(
    cli: Cli, args: tuple[str, ...], what: str, hint: str
) -> None:
    result = cli(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {what}")
    assert hint in result.stderr


def test_errors_are_json_with_json(cli: Cli) -> None:
    result = cli("snd", "--json")
    assert json.loads(result.stderr) == {
        "error": {
            "code": "usage",
            "message": 'no command "snd"',
            "hint": "did you mean  tribe-ws send?        all:  tribe-ws --help",
            "exit": 2,
        }
    }


@pytest.mark.parametrize("args", [("--json", "config", "show"), ("config", "show", "--json")])
def test_global_options_go_before_and_after_the_command(cli: Cli, args: tuple[str, ...]) -> None:
    assert json.loads(cli(*args).stdout)["url"]["value"] == "http://127.0.0.1:8000"


def test_the_option_after_the_command_is_the_stronger_one(cli: Cli) -> None:
    shown = cli("--url", "one:1", "config", "show", "--url", "two:2", "--json").stdout
    assert json.loads(shown)["url"]["value"] == "two:2"


def test_a_bug_is_exit_1_names_its_log_and_shows_no_traceback(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("token=eyJhbGciOiJIUzI1NiJ9.e30.x is no good")

    monkeypatch.setattr("tribe_ws_cli.environment.user_config_file", broken)
    result = cli("config", "show")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: a bug in tribe-ws: RuntimeError: token=***")
    assert "Traceback" not in result.stderr
    log = Path(result.stderr.rpartition("is in ")[2].strip())
    text = log.read_text("utf-8")
    assert "Traceback" in text
    assert "eyJ" not in text
    assert log.stat().st_mode & 0o077 == 0
    assert "Traceback" in cli("-v", "config", "show").stderr


def test_nobody_reading_is_no_error() -> None:
    script = f"{sys.executable} -m tribe_ws_cli completion bash | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "0"
    assert done.stderr == ""


def test_an_ascii_terminal_gets_escapes_instead_of_an_error() -> None:
    done = run("--help", env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 0
    assert "http(s)://" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_prints_a_script_and_installs_nothing(cli: Cli, home: object, shell: str) -> None:
    result = cli("completion", shell)
    assert result.exit_code == 0
    assert "_TRIBE_WS_COMPLETE" in result.stdout


def test_completion_completes_commands() -> None:
    done = run(
        env=os.environ
        | {"_TRIBE_WS_COMPLETE": "complete_bash", "COMP_WORDS": "tribe-ws co", "COMP_CWORD": "1"}
    )
    assert {"connect", "conversations", "config", "completion"} <= set(done.stdout.split())
