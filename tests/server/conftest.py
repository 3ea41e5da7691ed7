"""A real server per test file, and people to talk to it: made in its database, which is quicker than REST."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
from websockets.sync.client import connect

from tests.server.socket_stage import stage_with
from tribe_ws.clock import new_id
from tribe_ws.server.local import LocalServer, local_settings
from tribe_ws.server.passwords import Passwords

PASSWORD = "Correct-horse-1"
PATIENCE = 10.0
_numbers = itertools.count(1)
_cheap_hash = Passwords().hash_for_demo(PASSWORD)


def wait_until(condition, seconds=PATIENCE):
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found


@dataclass
class Person:
    id: str
    username: str
    email: str
    full_name: str
    token: str

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}


class Socket:
    """One connection, with frames read as Python sees them."""

    def __init__(self, connection):
        self.connection = connection

    def send(self, **frame):
        self.connection.send(json.dumps(frame))

    def next(self, seconds=PATIENCE):
        return json.loads(self.connection.recv(timeout=seconds))

    def next_event(self, event):
        while (frame := self.next())["event"] != event:
            pass
        return frame

    def subscribe(self, conversation_id):
        self.send(event="subscribe", channel="conversation", conversation_id=conversation_id)
        assert self.next_event("subscribed") == {"event": "subscribed", "conversation_id": conversation_id}

    def events_until_pong(self):
        """Say what came before the answer to a ping: everything that was on its way."""
        self.send(event="ping")
        frames = []
        while (frame := self.next())["event"] != "pong":
            frames.append(frame)
        return frames


class Backend:
    """A running server as its users see it."""

    def __init__(self, server: LocalServer):
        self.server = server
        self.services = server.services
        self.url = server.url
        self.http = httpx.Client(base_url=server.url + "/api/v1", trust_env=False, timeout=PATIENCE)

    def close(self):
        self.http.close()

    def person(self, **changes):
        number = next(_numbers)
        name = f"user{number}_{new_id()[-6:]}"
        storage = self.services.storage
        user = self.server.run(
            storage.users.create(f"{name}@x.test", name, f"User Number {number}", _cheap_hash)
        )
        if changes:
            user = self.server.run(storage.users.update(user.id, changes))
        token = self.services.tokens.access(user)
        return Person(user.id, user.username, user.email, user.full_name, token)

    def request(self, method, path, person=None, **options):
        headers = (person.headers if person else {}) | options.pop("headers", {})
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path, person=None, **options):
        return self.request("GET", path, person, **options)

    def post(self, path, person=None, **options):
        return self.request("POST", path, person, **options)

    def group(self, creator, *others):
        body = {
            "conversation_type": "group",
            "participant_ids": [other.id for other in others],
            "name": "Team",
        }
        answer = self.post("/conversations", creator, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def say(self, person, conversation_id, content="hello", **options):
        return self.post(
            f"/conversations/{conversation_id}/messages", person, json={"content": content}, **options
        )

    @contextmanager
    def socket(self, person, *conversation_ids):
        with connect(f"{self.server.ws_url}?token={person.token}", proxy=None) as connection:
            socket = Socket(connection)
            assert socket.next()["event"] == "connected"
            for conversation_id in conversation_ids:
                socket.subscribe(conversation_id)
            yield socket

    @property
    def log(self):
        return str(self.server.log_stream.getvalue())  # type: ignore[attr-defined]


@contextmanager
def running(clock=None, **settings):
    with LocalServer(local_settings(**({"fixtures": "none"} | settings)), clock=clock) as server:
        backend = Backend(server)
        try:
            yield backend
        finally:
            backend.close()


@pytest.fixture(scope="module")
def backend():
    with running() as started:
        yield started


@pytest.fixture
def start():
    """Start a server with settings of its own; it stops when the test ends."""
    with ExitStack() as stack:
        yield lambda clock=None, **settings: stack.enter_context(running(clock, **settings))


def pytest_asyncio_loop_factories(config, item):
    """Run the asynchronous tests of a file on every kind of event loop which that file names."""
    usual = {"asyncio": asyncio.new_event_loop}
    return getattr(item.getparent(pytest.Module).obj, "LOOP_FACTORIES", usual)


@pytest.fixture(params=["fast", "portable"])
def make_stage(request):
    """Make stages whose server sends in one of the two ways."""
    return partial(stage_with, fan_out=request.param)


@pytest.fixture
async def stage(make_stage):
    """A stage with everything at its default."""
    async with make_stage() as running:
        yield running
