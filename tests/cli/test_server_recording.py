"""What ``serve --record`` writes of an evening: every frame and every call, from the first to the last."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tribe_ws.capture.har import to_har
from tribe_ws.capture.reader import read_capture
from tribe_ws.capture.record import Record
from tribe_ws.capture.replay.as_server import ReplayServer
from tribe_ws.client.rest import RestClient
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
from tribe_ws.server.local import local_settings
from tribe_ws.server.serve import Ready, run_server
from tribe_ws_cli.recording import ServerRecording

DEADLINE = 60.0


class Guests:
    """Two people who call, talk and stay until the server goes."""

    def __init__(self, ready: Ready) -> None:
        self.closed: list[int] = []
        self.errors: list[BaseException] = []
        self.url, self.ws_url = ready.server.url, ready.server.ws_url
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        self._thread.join(DEADLINE)
        assert self.errors == []
        assert self.closed == [1012]

    def _live(self) -> None:
        try:
            with httpx.Client(base_url=f"{self.url}/api/v1", trust_env=False, timeout=DEADLINE) as http:
                self._talk(http)
        except BaseException as error:  # noqa: BLE001 - the test's own thread tells it
            self.errors.append(error)
            if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:  # The server still listens to it.
                os.kill(os.getpid(), signal.SIGTERM)

    def _talk(self, http: httpx.Client) -> None:
        def log_in(name: str, password: str = DEMO_PASSWORD) -> dict[str, Any]:
            found: dict[str, Any] = http.post(
                "/auth/login", json={"email": demo_email(name), "password": password}
            ).json()
            return found

        alice, bob = log_in("alice"), log_in("bob")
        log_in("alice", "Wrong-demo-1")
        http.post("/auth/refresh", json={"refresh_token": alice["refresh_token"]})
        as_alice = {"Authorization": f"Bearer {alice['access_token']}"}
        body = {"conversation_type": "group", "name": "Late Show", "participant_ids": [bob["user"]["id"]]}
        room = http.post("/conversations", json=body, headers=as_alice).json()["id"]
        with connect(f"{self.ws_url}?token={bob['access_token']}", proxy=None) as socket:
            socket.send(
                json.dumps({"event": "subscribe", "channel": "conversation", "conversation_id": room})
            )
            while json.loads(socket.recv(DEADLINE))["event"] != "subscribed":
                pass
            http.post(f"/conversations/{room}/messages", json={"content": "Hello"}, headers=as_alice)
            http.post(f"/conversations/{room}/messages", json={"content": ""}, headers=as_alice)
            http.get(f"/conversations/{room}/messages", headers=as_alice)
            os.kill(os.getpid(), signal.SIGTERM)
            with suppress(ConnectionClosed):
                while True:
                    socket.recv(DEADLINE)
            self.closed.append(socket.close_code or 0)


@dataclass(frozen=True)
class Evening:
    text: str
    records: tuple[Record, ...]

    @property
    def calls(self) -> list[Record]:
        return [one for one in self.records if one.direction == "rest"]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    folder: Path = tmp_path_factory.mktemp("evening")
    folder.chmod(0o700)
    guests: list[Guests] = []
    complaints: list[str] = []
    recording = ServerRecording(complaints.append)
    recording.start(folder / "s.ndjson")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        settings = local_settings(log_level="error")
        run_server(settings, lambda ready: guests.append(Guests(ready)), on_record=recording.take)
        recording.close()
    guests[0].leave()
    assert complaints == []
    return Evening((folder / "s.ndjson").read_text(), read_capture(folder / "s.ndjson").records)


def test_every_call_is_there_once(evening: Evening) -> None:
    told = Counter((one.as_user, one.event, one.status) for one in evening.calls)
    assert told == {
        ("alice", "POST login", 200): 1,
        ("bob", "POST login", 200): 1,
        ("", "POST login", 401): 1,
        ("alice", "POST refresh", 200): 1,
        ("alice", "POST conversation", 201): 1,
        ("alice", "POST message", 201): 1,
        ("alice", "POST message", 422): 1,
        ("alice", "GET messages", 200): 1,
    }
    assert all(one.latency is not None and one.latency > 0 for one in evening.calls)


def test_no_secret_is_in_the_file(evening: Evening) -> None:
    for secret in ("eyJ", "Tribe-demo", "Wrong-demo", "@tribe.test"):
        assert secret not in evening.text


def test_a_conversation_made_later_has_its_name(evening: Evening) -> None:
    kinds = ("subscribe", "message.new", "POST message", "GET messages")
    told = Counter((one.event, one.conversation) for one in evening.records if one.event in kinds)
    assert told == {(kind, "late-show"): 2 if kind == "POST message" else 1 for kind in kinds}


def test_the_end_of_every_socket_is_there(evening: Evening) -> None:
    closed = evening.records[-1]
    assert (closed.event, closed.as_user) == ("closed", "bob")
    assert "code 1012" in closed.text


def test_the_har_shows_the_calls_with_their_bodies_and_times(evening: Evening) -> None:
    entries = to_har(evening.records)["log"]["entries"]
    shown = {(one["request"]["method"], one["response"]["status"]) for one in entries}
    assert shown == {("POST", 200), ("POST", 201), ("POST", 401), ("POST", 422), ("GET", 200), ("GET", 101)}
    [refused] = [one for one in entries if one["response"]["status"] == 401]
    assert json.loads(refused["request"]["postData"]["text"]) == {"email": "***", "password": "***"}
    assert json.loads(refused["response"]["content"]["text"])["detail"]
    assert refused["time"] > 0


def test_a_replay_answers_from_it(evening: Evening) -> None:
    async def main() -> tuple[str | None, list[str]]:
        async with ReplayServer(evening.records) as server:
            rest = RestClient(server.address)
            try:
                await rest.login("bob", "any")
                [talk] = await rest.all_conversations()
                return talk.name, sorted(one.username for one in talk.participants)
            finally:
                await rest.close()

    assert asyncio.run(asyncio.wait_for(main(), DEADLINE)) == ("Late Show", ["alice", "bob"])
