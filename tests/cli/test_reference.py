"""The generated reference names everything there is."""

from __future__ import annotations

from tests.cli.conftest import run
from tribe_ws_cli.application import Command, load
from tribe_ws_cli.exit_codes import MEANINGS
from tribe_ws_cli.reference import reference
from tribe_ws_cli.registry import COMMANDS, GLOBAL_OPTIONS


def test_it_names_every_command_and_option() -> None:
    text = reference()
    for entry in COMMANDS:
        loaded = load(entry)
        paths = {f"tribe-ws {entry.name}": loaded}
        if not isinstance(loaded, Command):
            paths = {f"tribe-ws {entry.name} {name}": inner for name, inner in loaded.commands.items()}
        for path, command in paths.items():
            assert f"#### `{path}`" in text
            for param in command.own_params:
                assert param.help.replace("|", "\\|") in text, (path, param.name)


def test_it_names_the_global_options_and_exit_codes() -> None:
    text = reference()
    assert all(f"`{', '.join(option.flags)}`" in text for option in GLOBAL_OPTIONS)
    assert all(f"| `{int(code)}` | {meaning} |" in text for code, meaning in MEANINGS.items())


def test_it_is_the_same_each_time_and_ends_with_a_line_feed() -> None:
    assert reference() == reference()
    assert reference().endswith("|\n")


def test_it_is_a_program() -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "tribe_ws_cli.reference"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == reference()
    assert run("--version").returncode == 0
