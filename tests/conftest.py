"""What all tests share; fixtures that need a running server are in ``tests/contract``."""

from __future__ import annotations

import hypothesis
import pytest

from tribe_ws.protocol.contract import clause

pytest.register_assert_rewrite("tests.contract.harness")

# A loaded machine is no failure of the code: examples have no deadline each, the test has one.
hypothesis.settings.register_profile("tribe", deadline=None)
hypothesis.settings.load_profile("tribe")


def pytest_configure(config: pytest.Config) -> None:
    """Teach pytest the marker that ties a test to the clauses it proves."""
    config.addinivalue_line("markers", "clause(*ids): the clauses of the contract which this test proves")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse a test that cites a clause nobody knows."""
    for marker in item.iter_markers("clause"):
        for clause_id in marker.args:
            clause(clause_id)
