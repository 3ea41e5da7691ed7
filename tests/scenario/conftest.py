"""One server for the tests that run scenarios."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tribe_ws.server.local import LocalServer, local_settings


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    with LocalServer(local_settings(limit_logins=0)) as started:
        yield started


@pytest.fixture
def own_server() -> Iterator[LocalServer]:
    """A server whose clock and faults may be changed."""
    with LocalServer() as started:
        yield started
