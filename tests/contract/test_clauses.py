"""Every clause of the contract has a test here, and every test cites clauses that exist."""

from __future__ import annotations

import ast
from pathlib import Path

from tribe_ws.protocol.contract import CLAUSES

FOLDER = Path(__file__).parent


def cited() -> dict[str, list[str]]:
    """Collect the clause ids from the markers of all tests, whichever of them run."""
    found: dict[str, list[str]] = {}
    for path in sorted(FOLDER.glob("test_*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for marker in function.decorator_list:
                if isinstance(marker, ast.Call) and ast.unparse(marker.func) == "pytest.mark.clause":
                    for argument in marker.args:
                        assert isinstance(argument, ast.Constant)
                        found.setdefault(str(argument.value), []).append(f"{path.name}::{function.name}")
    return found


def test_every_clause_has_a_test():
    proved = cited()
    assert [clause.id for clause in CLAUSES if clause.id not in proved] == []


def test_no_test_cites_a_clause_that_is_none():
    known = {clause.id for clause in CLAUSES}
    assert {clause_id: tests for clause_id, tests in cited().items() if clause_id not in known} == {}
