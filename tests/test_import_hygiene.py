"""What is imported when, and by whom: a command line starts fast; what judges a server does not contain ours.

The import contracts of pyproject.toml read the source; these tests look at ``sys.modules`` of a real process,
which also sees what a third party drags in.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "tribe_ws": ROOT / "tribe_ws",
    "tribe_ws_cli": ROOT / "cli" / "tribe_ws_cli",
    "tribe_ws_tui": ROOT / "tui" / "tribe_ws_tui",
}
HEAVY = {
    "fastapi",
    "sqlalchemy",
    "textual",
    "httpx",
    "websockets",
    "uvicorn",
    "starlette",
    "pydantic",
    "alembic",
}
SERVER_SIDE = {"fastapi", "starlette", "sqlalchemy", "uvicorn", "aiosqlite", "asyncpg", "alembic"}

# Declared, yet imported by no line of ours: each is loaded by name by the library that is given it.
LOADED_BY_NAME = {
    "aiosqlite": "SQLAlchemy's SQLite driver",
    "asyncpg": "SQLAlchemy's PostgreSQL driver",
    "httptools": "uvicorn's HTTP parser",
    "uvloop": "uvicorn's event loop",
}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["-h"], ["-V"], []], ids=" ".join)
def test_looking_at_the_command_line_imports_nothing_heavy(arguments):
    script = f"""
import contextlib, io, json, sys
sys.argv = ["tribe-ws", *{arguments!r}]
from tribe_ws_cli.main import main
with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
    main()
assert said.getvalue().strip(), "it printed nothing"
print(json.dumps(sorted(sys.modules)))
"""
    assert not HEAVY & loaded(script)


def test_importing_the_library_imports_none_of_its_parts():
    assert (
        loaded("import json, sys, tribe_ws\nprint(json.dumps(sorted(sys.modules)))", depth=2)
        & {f"tribe_ws.{name}" for name in ("client", "server", "storage", "hub", "protocol")}
        == set()
    )


@pytest.mark.parametrize("module", ["tribe_ws.client", "tribe_ws.capture", "tribe_ws.protocol"])
def test_what_talks_to_foreign_servers_loads_no_server(module):
    script = f"import json, sys, {module}\nprint(json.dumps(sorted(sys.modules)))"
    assert not SERVER_SIDE & loaded(script)
    assert not {"tribe_ws.server", "tribe_ws.storage", "tribe_ws.hub"} & loaded(script, depth=2)


@pytest.mark.parametrize(
    "package", ["tribe_ws.protocol", "tribe_ws.storage", "tribe_ws.hub", "tribe_ws.server"]
)
def test_each_part_can_be_imported_first(package):
    assert package in loaded(f"import json, sys, {package}\nprint(json.dumps(sorted(sys.modules)))", depth=2)


def test_every_import_of_a_third_party_is_declared():
    assert imported_distributions() - declared_distributions() == set()


def test_every_declared_dependency_is_used():
    assert declared_distributions() - imported_distributions() - set(LOADED_BY_NAME) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_reads_the_environment_but_at_the_edge(package):
    readers = {
        path.relative_to(PACKAGES[package]).as_posix()
        for path in PACKAGES[package].rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text("utf-8"))
    }
    assert readers <= {"settings.py", "environment.py", "application.py"}


def loaded(script, depth=1):
    """Run a script that prints ``sys.modules`` in a process of its own; tell the names to that depth."""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert process.returncode == 0, process.stderr
    return {".".join(name.split(".")[:depth]) for name in json.loads(process.stdout.splitlines()[-1])}


def imported_distributions():
    """Tell the distributions our sources import, wherever in the file the import stands."""
    names = {name.split(".")[0] for package in PACKAGES.values() for name in imports_of(package)}
    providers = packages_distributions()
    # A name nobody provides stays in the set and shows up as undeclared.
    return {
        normal(providers.get(name, [name])[0])
        for name in names - set(sys.stdlib_module_names) - set(PACKAGES)
    }


def imports_of(package):
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Import(names=names):
                    yield from (alias.name for alias in names)
                case ast.ImportFrom(module=str(module)):
                    yield module


def declared_distributions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return {normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()
