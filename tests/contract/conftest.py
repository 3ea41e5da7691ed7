"""One server per test file and fan-out: tests share it and make their own users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.harness import RunningServer, running_server
from tribe_ws.server.serve import loop_factory


def pytest_asyncio_loop_factories() -> dict[str, Any]:
    """Run on the event loop on which ``serve`` runs."""
    return {"serve": loop_factory() or asyncio.new_event_loop}


@pytest.fixture(scope="module", params=["fast", "portable"])
def fan_out(request: pytest.FixtureRequest) -> str:
    """Both ways of a frame to its socket keep the same promises."""
    return str(request.param)


@pytest.fixture(scope="module")
def settings(fan_out: str) -> dict[str, Any]:
    """The settings of the shared server; a file may override this fixture."""
    return {"fan_out": fan_out}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(settings: dict[str, Any]) -> AsyncIterator[RunningServer]:
    """A server that all tests of a file share."""
    async with running_server(**settings) as running:
        yield running
