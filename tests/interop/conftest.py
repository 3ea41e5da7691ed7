"""Foreign clients as pipes: each line in is a command, each line out is something that happened to them.

Where a program is missing the test is skipped with the reason, unless ``TRIBE_WS_TEST_INTEROP=required`` says
that this run is the one which guards the promise.
"""

from __future__ import annotations

import http.server
import json
import os
import queue
import shutil
import subprocess
import threading
import time
from functools import partial
from pathlib import Path

import httpx
import pytest

from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
from tribe_ws.server.local import LocalServer

HERE = Path(__file__).parent
PATIENCE = 30.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.interop)


class Backend:
    """A running server with the demo world, and a person who uses its REST interface."""

    def __init__(self, url):
        self.url = url
        self.rest = httpx.Client(base_url=f"{url}/api/v1", trust_env=False)

    def token(self, username):
        body = {"email": demo_email(username), "password": DEMO_PASSWORD}
        return self.rest.post("/auth/login", json=body).raise_for_status().json()["access_token"]

    def ws_url(self, token):
        return f"{self.url.replace('http', 'ws', 1)}/api/v1/ws?token={token}"

    def send(self, conversation_id, text, as_user="alice"):
        path = f"/conversations/{conversation_id}/messages"
        answer = self.rest.post(path, json={"content": text}, headers=bearer(self.token(as_user)))
        return answer.raise_for_status().json()


class Pipe:
    """A program that is told things by line and tells what happens by line."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            bufsize=1,
            env=without_proxies() | environment,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.seen: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def tell(self, line):
        self.stdin.write((line if isinstance(line, str) else json.dumps(line)) + "\n")

    def line(self, wanted):
        """Wait for the next line that ``wanted`` accepts."""
        deadline = time.monotonic() + PATIENCE
        while (rest := deadline - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=rest)
            except queue.Empty:
                break
            if line is None:
                pytest.fail("the client ended; it said:\n" + "\n".join(self.seen))
            self.seen.append(line)
            if wanted(line):
                return line
        pytest.fail(f"not seen in {PATIENCE:.0f} s; the client said:\n" + "\n".join(self.seen))

    def happened(self, kind):
        """Wait for the next thing of that type, and tell it."""
        return json.loads(self.line(lambda line: line.startswith("{") and json.loads(line)["type"] == kind))

    def frame(self):
        """Wait for the next text frame, and tell it as JSON."""
        return json.loads(self.happened("message")["text"])

    def close(self):
        self.stdin.close()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.stdout.close()


@pytest.fixture(scope="module")
def backend():
    with LocalServer.in_thread() as server:
        started = Backend(server.url)
        yield started
        started.rest.close()


@pytest.fixture
def start():
    """Start foreign programs, and end them with the test."""
    started = []

    def start_one(*command, **environment):
        started.append(Pipe(command, **environment))
        return started[-1]

    yield start_one
    for pipe in started:
        pipe.close()


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory):
    """Install node's packages beside the scripts that use them."""
    npm = program("npm")
    folder = tmp_path_factory.mktemp("node")
    for name in (
        "package.json",
        "package-lock.json",
        "node_client.js",
        "browser_client.js",
        "page_reader.js",
    ):
        shutil.copy(HERE / name, folder)
    installed = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=180)
    if installed.returncode != 0:
        missing(f"npm ci failed: {installed.stderr[-500:]}")
    return folder


@pytest.fixture
def node(start, node_folder, backend):
    """Start node's ``ws`` as the holder of a token."""
    return lambda token: start(
        program("node"), str(node_folder / "node_client.js"), TRIBE_WS_TEST_URL=backend.ws_url(token)
    )


@pytest.fixture
def browser(start, node_folder, page_address, backend):
    """Open the page in a headless browser, as a user who logs in there or as the holder of a token."""
    chromium = program(*BROWSERS)

    def open_page(**wanted):
        fragment = json.dumps({"base": backend.url, **wanted})
        return start(
            program("node"),
            str(node_folder / "browser_client.js"),
            TRIBE_WS_TEST_CHROMIUM=chromium,
            TRIBE_WS_TEST_PAGE=f"{page_address}/page.html#{fragment}",
        )

    return open_page


@pytest.fixture
def read_in_browser(start, node_folder):
    """Open an address in a headless browser that takes a picture of it, in the light or in the dark."""
    chromium = program(*BROWSERS)
    return lambda address, colours, picture: start(
        program("node"),
        str(node_folder / "page_reader.js"),
        TRIBE_WS_TEST_CHROMIUM=chromium,
        TRIBE_WS_TEST_PAGE=address,
        TRIBE_WS_TEST_COLOURS=colours,
        TRIBE_WS_TEST_PICTURE=str(picture),
    )


@pytest.fixture(scope="session")
def page_address():
    """Serve the page from an origin of its own on the loopback, as a web build's development server does."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=HERE)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def program(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    return found or missing(f"{' or '.join(names)} is not installed")


def missing(reason):
    if os.environ.get("TRIBE_WS_TEST_INTEROP") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def without_proxies():
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
