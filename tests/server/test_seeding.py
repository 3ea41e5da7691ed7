"""``serve --seed``: the same calls on the same data get the same ids."""

from contextlib import ExitStack

import httpx
import pytest
from websockets.sync.client import connect

from tests.server.conftest import PATIENCE, running
from tests.server.control.conftest import Driver
from tribe_ws.clock import ManualClock
from tribe_ws.protocol.ids import canonical_id


def story_of(backend):
    """Do a few things that make ids, and tell these."""
    backend_person = backend.server.run(backend.services.storage.users.by_login("alice"))
    token = backend.services.tokens.access(backend_person)
    with httpx.Client(base_url=backend.url + "/api/v1", trust_env=False) as http:
        body = {
            "email": "new@x.test",
            "username": "newcomer",
            "full_name": "New Comer",
            "password": "Tribe-demo-1",
            "confirm_password": "Tribe-demo-1",
        }
        user = http.post("/auth/register", json=body).json()["user"]["id"]
        http.headers["Authorization"] = f"Bearer {token}"
        group = {"conversation_type": "group", "participant_ids": [user], "name": "Team"}
        room = http.post("/conversations", json=group).json()["id"]
        address = f"/conversations/{room}/messages"
        said = [http.post(address, json={"content": text}).json()["id"] for text in ("one", "two")]
    return [user, room, *said]


@pytest.fixture
def tell():
    """Tell the ids of one run of a server with these settings."""

    def run(**settings):
        with running(**({"fixtures": "demo"} | settings)) as backend:
            return story_of(backend)

    return run


def test_two_runs_with_one_seed_make_the_same_ids(tell):
    first = tell(seed=7)
    assert tell(seed=7) == first
    assert all(canonical_id(one) == one for one in first)


def test_another_seed_or_none_makes_other_ids(tell):
    runs = [tell(seed=7), tell(seed=8), tell(), tell()]
    assert len({one for run in runs for one in run}) == sum(map(len, runs))


def test_connection_ids_repeat_too():
    seen = []
    for _ in range(2):
        with running(seed=7, fixtures="demo") as backend:
            alice = backend.server.run(backend.services.storage.users.by_login("alice"))
            token = backend.services.tokens.access(alice)
            with connect(f"{backend.server.ws_url}?token={token}", proxy=None) as socket:
                socket.recv(PATIENCE)
                seen.append(backend.server.call(lambda: backend.services.hub.connections[0].id))
    assert seen[0] == seen[1]


def test_database_that_is_served_again_gets_no_id_twice(tmp_path):
    made = []
    for number in range(2):
        with running(seed=7, fixtures="demo", db=str(tmp_path / "tribe.db")) as backend:
            alice = backend.server.run(backend.services.storage.users.by_login("alice"))
            token = backend.services.tokens.access(alice)
            world = backend.services.world.conversations[0].id
            answer = httpx.post(
                f"{backend.url}/api/v1/conversations/{world}/messages",
                json={"content": f"round {number}"},
                headers={"Authorization": f"Bearer {token}"},
                trust_env=False,
            )
            assert answer.status_code == 201
            made.append(answer.json()["id"])
    assert made[0] != made[1]


def test_reset_begins_the_sequence_anew():
    with ExitStack() as stack:
        backend = stack.enter_context(running(seed=7, fixtures="demo"))
        driver = Driver(backend)
        stack.callback(driver.http.close)
        first = story_of(backend)
        driver.done("/reset")
        assert story_of(backend) == first


def test_clock_that_was_handed_in_makes_its_own_ids():
    with (
        running(ManualClock(), seed=7, fixtures="demo") as one,
        running(ManualClock(), seed=7, fixtures="demo") as other,
    ):
        assert one.services.clock.new_id("message") != other.services.clock.new_id("message")
