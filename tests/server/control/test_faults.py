"""Faults by the control API, and what the journal says of the frames they meet."""

from __future__ import annotations

import pytest

from tests.server.control.conftest import verdicts
from tribe_ws.client.control import ControlClient


@pytest.fixture(autouse=True)
def _no_faults_are_left(driver):
    yield
    driver.http.delete("/faults")


def test_faults_are_added_listed_and_taken_away(backend, driver):
    ana = backend.person()
    added = driver.done("/faults", faults=f"drop @{ana.username} typing; delay 1s in", seed=7)
    first, second = added["faults"]
    assert (added["seed"], first["fault"], first["user_id"]) == (7, f"drop @{ana.username} typing", ana.id)
    assert driver.get("/faults").json() == {"seed": 7, "faults": [first, second]}
    assert driver.http.delete(f"/faults/{first['id']}").json() == {"cleared": 1}
    assert driver.http.delete(f"/faults/{first['id']}").status_code == 404
    assert driver.http.delete("/faults").json() == {"cleared": 1}
    assert driver.get("/faults").json()["faults"] == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("burn", "expected an action first"),
        ("drop @nobody", "no user @nobody"),
        ("drop; drop #nowhere", "no conversation #nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused_whole(driver, text, complaint):
    answer = driver.post("/faults", faults=text)
    assert answer.status_code == 400
    assert complaint in answer.json()["detail"]
    assert driver.post("/faults", faults="").status_code == 422
    assert driver.get("/faults").json()["faults"] == []


def test_the_stream_tells_what_a_fault_did(backend, driver):
    ana, ben, cara = backend.person(), backend.person(), backend.person()
    room = backend.group(ana, ben, cara)
    with backend.socket(ben, room), backend.socket(cara, room) as late, driver.watching() as stream:
        driver.done("/faults", faults=f"drop @{ben.username} out; delay 10ms @{cara.username} out")
        backend.say(ana, room)
        record = stream.find(dir="out", event="message.new")
        told = verdicts(record)
        assert told[ben.username] == "fault_dropped"
        assert told[cara.username] == "fault_delayed"
        assert late.next_event("message.new")["conversation_id"] == room
    assert [fault["hits"] for fault in driver.get("/faults").json()["faults"]] == [1, 1]


def test_the_stream_tells_which_frame_of_a_client_was_lost(backend, driver):
    ben = backend.person()
    with backend.socket(ben) as socket, driver.watching() as stream:
        driver.done("/faults", faults=f"drop @{ben.username} ping in")
        socket.send(event="ping")
        record = stream.find(dir="in", event="ping")
        assert verdicts(record) == {ben.username: "fault_dropped"}


async def test_the_client_drives_them(backend):
    async with ControlClient(backend.url, backend.server.control_key) as control:
        (fault,) = await control.add_faults("refuse 3", seed=1)
        assert await control.faults() == [fault]
        assert await control.clear_faults(fault["id"]) == 1
        assert await control.clear_faults() == 0
