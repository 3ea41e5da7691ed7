"""What a start costs is what it imports. Times are measured in ``benchmarks``; here only imports are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tribe_ws import __version__

HEAVY = {
    "fastapi",
    "sqlalchemy",
    "textual",
    "httpx",
    "websockets",
    "pydantic",
    "uvicorn",
    "rich",
    "prompt_toolkit",
}
_SCRIPT = """
import sys
sys.argv = ["tribe-ws", *{arguments!r}]
from tribe_ws_cli.main import main
code = main()
sys.stderr.write("\\n".join(sorted(sys.modules)))
sys.exit(code)
"""


def start(*arguments: str) -> tuple[str, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(arguments=list(arguments))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout, {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("arguments", [("--version",), ("-V",)])
def test_version_imports_next_to_nothing(arguments: tuple[str, ...]) -> None:
    text, modules = start(*arguments)
    assert text == f"tribe-ws {__version__}\n"
    assert not modules & (HEAVY | {"typer", "asyncio"})


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ()])
def test_help_imports_next_to_nothing(arguments: tuple[str, ...]) -> None:
    text, modules = start(*arguments)
    assert text.startswith("Usage: tribe-ws")
    assert not modules & (HEAVY | {"typer", "asyncio"})


def test_without_arguments_it_says_what_to_try() -> None:
    text, _ = start()
    assert text.endswith("Try: tribe-ws demo\n")


@pytest.mark.parametrize("command", ["send", "watch", "connect", "serve", "demo", "login", "token"])
def test_help_of_a_command_loads_no_network(command: str) -> None:
    code = (
        f"import sys\nfrom tribe_ws_cli.registry import COMMANDS\nfrom tribe_ws_cli.application import load\n"
        f"load(next(entry for entry in COMMANDS if entry.name == {command!r}))\n"
        "sys.stdout.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & (HEAVY - {"pydantic"})
