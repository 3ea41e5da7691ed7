"""The tables of README.md, made from the code they describe; ``nox -s readme`` writes them into the page.

A test fails when the page and the code differ, so nothing here is kept up by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tribe_ws.protocol.close_codes import CLOSE_CODES
from tribe_ws.protocol.frames import APP_FRAMES, CLIENT_FRAMES, DOCUMENTED_FRAMES
from tribe_ws.protocol.frames_v2 import CLIENT_FRAMES_V2, V2_FRAMES
from tribe_ws.server.app import create_app
from tribe_ws.settings import ServerSettings, environment_variable
from tribe_ws_cli.reference import reference


def events() -> str:
    """Every event with its direction, the profile that has it, its keys in their order, and what it says."""
    rows = [("client → server", "both", model) for model in CLIENT_FRAMES]
    rows += [
        ("server → client", "both" if model in DOCUMENTED_FRAMES else "`app`", model) for model in APP_FRAMES
    ]
    return table(
        ("event", "direction", "profile", "further keys", "meaning"),
        (
            (
                code(model.model_fields["event"].default),
                direction,
                profile,
                keys(model),
                first_sentence(model),
            )
            for direction, profile, model in rows
        ),
    )


def events_v2() -> str:
    """Every event of a client that asked for ``tribe.v2``, with its keys beyond the documented ones."""
    rows = [("client → server", model) for model in CLIENT_FRAMES_V2]
    rows += [("server → client", model) for model in V2_FRAMES if model not in APP_FRAMES]
    return table(
        ("event", "direction", "keys beyond the documented ones", "meaning"),
        (
            (code(model.model_fields["event"].default), direction, further_keys(model), first_sentence(model))
            for direction, model in rows
        ),
    )


def settings() -> str:
    """Every setting of the server with its environment variable and its default."""
    fields = ServerSettings.model_fields.items()
    return table(
        ("setting", "environment", "default", "meaning"),
        (
            (code(name), code(environment_variable(name)), default(field), field.description or "")
            for name, field in fields
        ),
    )


def commands() -> str:
    """Every command with its options and examples, and the exit codes."""
    return reference().rstrip()


def close_codes() -> str:
    """Every close code with its reason, its meaning, and what a client should do."""
    return table(
        ("code", "reason", "meaning", "the client should"),
        (
            (str(entry.code), code(entry.reason) if entry.reason else "", entry.meaning, entry.advice.value)
            for entry in CLOSE_CODES
        ),
    )


def rest() -> str:
    """Every REST call with what it does; the OpenAPI document holds the rest."""
    calls = create_app(ServerSettings(db=":memory:")).openapi()["paths"]
    return table(
        ("call", "does"),
        (
            (
                code(f"{method.upper()} {path}"),
                call["description"].split("\n\n")[0].replace("\n", " ").rstrip("."),
            )
            for path, methods in calls.items()
            for method, call in methods.items()
        ),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def keys(model: type[BaseModel]) -> str:
    """Name the keys of a frame beside ``event``, those of nested objects with their path."""
    return ", ".join(code(name) for name in paths(model) if name != "event")


def further_keys(model: type[BaseModel]) -> str:
    """Name the keys of a frame in v2 which its documented twin of the same event and direction has not."""
    frames = CLIENT_FRAMES if model in CLIENT_FRAMES_V2 else APP_FRAMES
    event = model.model_fields["event"].default
    twin = next((each for each in frames if each.model_fields["event"].default == event), None)
    known = {"event", *(paths(twin) if twin is not None else ())}
    return ", ".join(code(name) for name in paths(model) if name not in known)


def paths(model: type[BaseModel]) -> Iterator[str]:
    """Tell the keys of a model in their order, nested ones with their path."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (f"{name}.{inner}" for inner in paths(field.annotation))
        else:
            yield name


def first_sentence(model: type[BaseModel]) -> str:
    """Tell the first line of a docstring without its full stop, and with the code marks of Markdown."""
    line = (model.__doc__ or "").strip().splitlines()[0].replace("``", "`")
    return re.sub(r"( \(contract [\d.]+\))?\.?$", "", line)


def default(field: FieldInfo) -> str:
    """Say the default of a setting as people would type it."""
    match field.default:
        case "" | () | None:
            return ""
        case bool(value):
            return code(str(value).lower())
        case float(value):
            return code(duration(value))
        case value:
            return code(value)


def duration(seconds: float) -> str:
    """Write a duration in the largest unit that divides it."""
    for unit, size in (("d", 86400), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s" if seconds else "0"


def code(text: object) -> str:
    """Mark text as code."""
    return f"`{text}`"
