from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tribe_ws

SOURCE = ast.parse(Path(tribe_ws.__file__).read_text("utf-8"))


def test_the_list_of_public_names_is_sorted():
    in_order = sorted(tribe_ws.__all__, key=lambda name: (not name.isupper(), name))
    assert tribe_ws.__all__ == in_order
    assert dir(tribe_ws) == sorted(tribe_ws.__all__)


@pytest.mark.parametrize("name", tribe_ws.__all__)
def test_every_public_name_can_be_imported(name: str):
    assert getattr(tribe_ws, name) is not None


def test_type_checkers_see_the_same_names():
    imported = {
        alias.name
        for node in ast.walk(SOURCE)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tribe_ws.")
        for alias in node.names
    }
    assert imported == set(tribe_ws.__all__) - {"__version__"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = tribe_ws.Nonsense


def test_importing_the_library_imports_nothing_heavy():
    script = (
        "import sys, tribe_ws; "
        "print([n for n in ('pydantic', 'httpx', 'websockets', 'fastapi', 'sqlalchemy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_python_m_tribe_ws_is_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "tribe_ws", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"tribe-ws {tribe_ws.__version__}\n"
