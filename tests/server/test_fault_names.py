"""The names in a fault: whom they mean, at the start of a server and while it runs."""

from __future__ import annotations

import pytest

from tests.server.conftest import running
from tribe_ws.hub.fault_rules import FaultRefused
from tribe_ws.server.fault_names import add_faults


def add(backend, text):
    services = backend.services
    return backend.server.run(add_faults(text, services.hub.faults, services.storage, services.world))


def test_a_server_starts_with_its_faults(start) -> None:
    backend = start(fixtures="demo", faults="drop @bob #general typing; delay 1s in 5%;", fault_seed=7)
    services = backend.services
    first, second = services.hub.faults.list()
    assert first.user_id == backend.server.run(services.storage.users.by_login("bob")).id
    assert first.conversation_id == next(
        one.id for one in services.world.conversations if one.label == "#general"
    )
    assert (second.user_id, second.conversation_id, services.hub.faults.seed) == (None, None, 7)


def test_ids_mean_what_they_say(start) -> None:
    backend = start()
    ana = backend.person()
    room = backend.group(ana, backend.person())
    (fault,) = add(backend, f"drop @{ana.id.upper()} #{room}")
    assert (fault.user_id, fault.conversation_id) == (ana.id, room)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("reset; drop @nobody", "no user @nobody"),
        ("drop;" * 101, "at most"),
        ("drop #nowhere", "no conversation #nowhere"),
        ("burn", "action"),
    ],
)
def test_an_unknown_name_is_refused(start, text, complaint) -> None:
    backend = start()
    with pytest.raises(FaultRefused, match=complaint):
        add(backend, text)
    assert backend.services.hub.faults.list() == ()


def test_a_server_does_not_start_with_faults_that_make_no_sense() -> None:
    with pytest.raises(FaultRefused, match="no user @nobody"), running(faults="drop @nobody"):
        pass
