"""The plain data says what the commands themselves say."""

from __future__ import annotations

from typing import Any

import pytest

from tribe_ws.settings import ServerSettings
from tribe_ws_cli.application import Command, load
from tribe_ws_cli.commands.server_options import SERVER_OPTIONS
from tribe_ws_cli.registry import COMMANDS, GLOBAL_OPTIONS, GROUPS, Entry, help_text

ENTRIES = pytest.mark.parametrize("entry", COMMANDS, ids=[entry.name for entry in COMMANDS])


def leaves(command: Any) -> list[Any]:
    return [command] if isinstance(command, Command) else list(command.commands.values())


@ENTRIES
def test_the_help_line_is_the_commands_own(entry: Entry) -> None:
    assert load(entry).help.splitlines()[0] == entry.help
    assert entry.group in GROUPS


@ENTRIES
def test_every_command_begins_its_help_with_examples(entry: Entry) -> None:
    for command in leaves(load(entry)):
        assert command.examples, command.name
        assert all("tribe-ws" in example for example in command.examples)


@ENTRIES
def test_every_option_explains_itself(entry: Entry) -> None:
    for command in leaves(load(entry)):
        for param in command.own_params:
            assert param.help, f"{entry.name}: {param.name}"
            assert param.help.endswith("."), f"{entry.name}: {param.help}"


@ENTRIES
def test_no_option_means_two_things(entry: Entry) -> None:
    for command in leaves(load(entry)):
        flags = [flag for param in command.params for flag in (*param.opts, *param.secondary_opts)]
        assert len(flags) == len(set(flags))


def test_the_help_names_every_command_and_every_global_option() -> None:
    text = help_text()
    for entry in COMMANDS:
        assert f"  {entry.name} " in text
    for option in GLOBAL_OPTIONS:
        assert ", ".join(option.flags) in text
    assert max(map(len, text.splitlines())) <= 100


def test_names_are_unique() -> None:
    names = [entry.name for entry in COMMANDS]
    assert len(names) == len(set(names))


def test_every_setting_of_the_server_has_a_flag_but_the_secret() -> None:
    # A secret on a command line is seen by everybody on the machine.
    assert {option.name for option in SERVER_OPTIONS} == set(ServerSettings.model_fields) - {"secret"}
