"""A demo server with its control API, and whoever drives it."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.server.conftest import PATIENCE, running
from tribe_ws.clock import new_id
from tribe_ws.server.control.gate import KEY_HEADER


class Driver:
    """Someone who holds the key of a server."""

    def __init__(self, backend):
        self.backend = backend
        self.http = httpx.Client(
            base_url=backend.url + "/__tribe__",
            headers={KEY_HEADER: backend.server.control_key},
            trust_env=False,
            timeout=PATIENCE,
        )

    def get(self, path, **options):
        return self.http.get(path, **options)

    def post(self, path, **body):
        return self.http.post(path, json=body)

    def done(self, path, **body):
        answer = self.post(path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @contextmanager
    def watching(self, **query):
        with self.http.stream("GET", "/events", params=query) as answer:
            assert answer.status_code == 200, answer.read()
            lines = answer.iter_lines()
            assert json.loads(next(lines))["event"] == "watching"
            yield Stream(lines)


class Stream:
    """The lines of the stream, one by one."""

    def __init__(self, lines):
        self.lines = lines
        self.seen = []

    def next(self):
        record = json.loads(next(self.lines))
        self.seen.append(record)
        return record

    def find(self, **wanted):
        """Read on to the first record with these values."""
        while True:
            record = self.next()
            if all(record.get(key) == value for key, value in wanted.items()):
                return record

    def both_of_a_message(self):
        """Read on until a message was told twice: as the call that brought it, and as the frame it became."""
        call = frame = None
        while call is None or frame is None:
            record = self.next()
            if record["event"] == "call":
                call = record
            elif record["event"] == "message.new":
                frame = record
        return call, frame


def end_of(closed):
    """Tell the code and the reason with which a socket was closed."""
    close = closed.value.rcvd
    return close.code, close.reason


def verdicts(record):
    return {one["user"]: one["verdict"] for one in record["verdicts"]}


@pytest.fixture(scope="module")
def backend():
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def driver(backend):
    driving = Driver(backend)
    yield driving
    driving.http.close()


@pytest.fixture
def start_driven():
    """Start a server with settings of its own, and a driver for it."""
    with ExitStack() as stack:

        def start(*, mode="system", **settings):
            driving = Driver(stack.enter_context(running(**settings)))
            stack.callback(driving.http.close)
            if mode != "system":
                driving.done("/clock", mode=mode)
            return driving

        yield start


@pytest.fixture
def unknown_id():
    return new_id()
