"""What the client costs those who only import it, and what it must never contain."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded_by(module: str) -> set[str]:
    script = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["tribe_ws.client.stream", "tribe_ws.client.client"])
def test_httpx_is_imported_by_the_first_call_only(module: str) -> None:
    loaded = loaded_by(module)
    assert "websockets" in loaded
    assert not loaded & {"httpx", "httpcore", "rich", "typer"}


def test_what_judges_a_foreign_server_contains_none_of_ours() -> None:
    assert not loaded_by("tribe_ws.client.client") & {"fastapi", "starlette", "sqlalchemy", "uvicorn"}


def test_calls_alone_need_no_websockets() -> None:
    assert "websockets" not in loaded_by("tribe_ws.client.rest")
