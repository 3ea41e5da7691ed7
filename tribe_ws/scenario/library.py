"""Where scenarios are found: those that come with tribe-ws, by name, and files and folders of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tribe_ws.errors import ConfigurationError
from tribe_ws.scenario.place import did_you_mean

BUILTIN = Path(__file__).with_name("builtin")
_SUFFIXES = (".yaml", ".yml")


def builtin_scenarios() -> dict[str, Path]:
    """Give the scenarios that come with tribe-ws, by name."""
    return {path.stem: path for path in sorted(BUILTIN.glob("*.yaml"))}


def find_scenarios(words: Sequence[str]) -> list[Path]:
    """Find the files that are meant by names of built-in scenarios, by files and by folders, each once.

    In a folder that is every YAML file below it whose name does not begin with ``_`` or a dot: those are
    fragments for others to include. Raises ``ConfigurationError`` for a word that means nothing.
    """
    found: dict[Path, None] = {}
    for word in words:
        found.update(dict.fromkeys(_meant_by(word)))
    return list(found)


def _meant_by(word: str) -> list[Path]:
    builtin, path = builtin_scenarios(), Path(word)
    if path.is_dir():
        if files := sorted(_below(path)):
            return files
        raise ConfigurationError(f"no scenario in {word}", hint="a scenario is a file named *.yaml")
    if path.is_file():
        return [path]
    if word in builtin:
        return [builtin[word]]
    hint = did_you_mean(word, builtin, otherwise=f"built in are: {', '.join(builtin)}")
    raise ConfigurationError(f'no file, no folder and no built-in scenario "{word}"', hint=hint)


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.suffix in _SUFFIXES and path.is_file() and not any(part[0] in "_." for part in parts):
            yield path
