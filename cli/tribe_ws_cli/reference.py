"""``python -m tribe_ws_cli.reference`` prints the reference of all commands and options as Markdown.

It is made from the commands themselves, so a page that holds it can be checked against it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tribe_ws_cli.application import Command, load
from tribe_ws_cli.exit_codes import MEANINGS
from tribe_ws_cli.registry import COMMANDS, GLOBAL_OPTIONS, GROUPS


def reference() -> str:
    """Write the whole reference."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    for group in GROUPS:
        yield f"### {group}\n"
        for entry in COMMANDS:
            if entry.group == group:
                yield from _command(f"tribe-ws {entry.name}", load(entry), with_commands=True)
    yield "### Options of every command\n"
    yield "Before or after the command's name.\n"
    rows = [(", ".join(option.flags), option.metavar, option.help) for option in GLOBAL_OPTIONS]
    yield from _table(("option", "", ""), rows)
    yield "### Exit codes\n"
    yield from _table(("code", "meaning"), [(str(int(code)), meaning) for code, meaning in MEANINGS.items()])


def _command(path: str, command: Any, *, with_commands: bool) -> Iterator[str]:
    yield f"#### `{path}`\n"
    yield _text(command.help or "") + "\n"
    if with_commands and not isinstance(command, Command):
        for name, inner in command.commands.items():
            yield from _command(f"{path} {name}", inner, with_commands=False)
        return
    yield "```"
    yield from command.examples
    yield "```\n"
    rows = [_row(param) for param in command.own_params]
    if rows:
        yield from _table(("argument or option", "", ""), rows)


def _row(param: Any) -> tuple[str, str, str]:
    if param.param_type_name == "argument":
        return param.metavar or param.name.upper(), "", param.help or ""
    flags = ", ".join(param.opts) + "".join(f" / {flag}" for flag in param.secondary_opts)
    return flags, param.metavar or "", param.help or ""


def _text(help_text: str) -> str:
    """Join the lines of each paragraph of a docstring."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", help_text.strip()))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for first, *others in rows:
        *middle, last = others
        marked = (f"`{_cell(text)}`" if text else "" for text in (first, *middle))
        yield "| " + " | ".join((*marked, _cell(last))) + " |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
