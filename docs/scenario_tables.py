"""The tables of docs/scenarios.md, made from the tables by which scenarios are read.

A test fails when the page and the code differ, so nothing here is kept up by hand.
"""

from __future__ import annotations

from collections.abc import Iterable

from tribe_ws.scenario.language.matcher_forms import FORMS, WORDS
from tribe_ws.scenario.language.verbs import ACTOR_VERBS, CLOSE_VERBS, FLOW_VERBS, SERVER_VERBS, Option, Verb
from tribe_ws.scenario.linting.finding import RULES


def actor_verbs() -> str:
    """Give what an actor can do."""
    rows: list[Verb] = []
    for verb in ACTOR_VERBS:
        rows += [verb, CLOSE_VERBS[verb.name]] if verb.name in CLOSE_VERBS else [verb]
    return verbs(rows)


def server_verbs() -> str:
    """Give what the server can be made to do."""
    return verbs(SERVER_VERBS)


def flow_verbs() -> str:
    """Give what the scenario itself can do."""
    return verbs(FLOW_VERBS)


def options() -> str:
    """Give every option, with the verbs that have it."""
    found: dict[tuple[str, str], tuple[Option, list[str]]] = {}
    for verb in (*ACTOR_VERBS, *SERVER_VERBS, *FLOW_VERBS, *CLOSE_VERBS.values()):
        for option in verb.options:
            names = found.setdefault((option.name, option.says), (option, []))[1]
            names += [] if verb.name in names else [verb.name]
    rows = sorted(found.values(), key=lambda entry: entry[0].name)
    return table(
        ("option", "of", "value", "meaning"),
        ((code(option.name), ", ".join(names), option.kind.name, option.says) for option, names in rows),
    )


def words() -> str:
    """Give the matchers that take no argument."""
    return table(("matcher", "fits"), ((code(name), says) for name, (_matcher, says) in WORDS.items()))


def forms() -> str:
    """Give the matchers that take an argument."""
    return table(("matcher", "fits"), ((code(form.example), form.says) for form in FORMS.values()))


def rules() -> str:
    """Give what the linter finds."""
    return table(
        ("rule", "severity", "finds"),
        ((code(name), severity, says) for name, (severity, says) in RULES.items()),
    )


def verbs(rows: Iterable[Verb]) -> str:
    """Make a table of verbs: how each is written, what it does, its options (bold where needed)."""
    return table(
        ("written", "what it does", "options"),
        (
            (
                code(verb.example),
                verb.says,
                ", ".join(
                    f"**{code(one.name)}**" if one.required else code(one.name) for one in verb.options
                ),
            )
            for verb in rows
        ),
    )


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a Markdown table."""
    first = list(head)
    lines = [first, ["---"] * len(first), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Mark text as code."""
    return f"`{text}`"
