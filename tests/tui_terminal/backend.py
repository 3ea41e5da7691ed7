"""``tribe-ws serve`` as a process that can be killed and come back, and people who use it meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx
from websockets.sync.client import connect

from tests.tui_terminal.terminal import PATIENCE, until
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id

GENERAL = fixture_id("conversation:general")


class Backend:
    """A server on one port and one database, however often it is started."""

    def __init__(self, environment, folder, *options):
        self._environment = environment
        self._folder = folder
        self._options = options
        self.port = 0
        self._tokens = {}
        self.start()

    def start(self):
        """Start it, on the port it had before, and wait until it accepts."""
        ready = self._folder / "ready.json"
        ready.unlink(missing_ok=True)
        log = (self._folder / "serve.log").open("ab")
        place = ("--port", str(self.port), "--db", str(self._folder / "tribe.db"), "--ready-file", str(ready))
        with log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tribe_ws_cli", "serve", *place, *self._options],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(lambda: ready.exists() or self._process.poll() is not None, "the server is ready")
        assert self._process.poll() is None, (self._folder / "serve.log").read_text()
        self.url = json.loads(ready.read_text())["url"]
        self.port = int(self.url.rpartition(":")[2])

    def kill(self):
        """End it as a crash does."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def stop(self):
        """End it as Ctrl+C does: the sockets are closed with 1012."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def close(self):
        if self._process.poll() is None:
            self.kill()

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────

    def token(self, username):
        """Log in, once."""
        if username not in self._tokens:
            body = {"email": demo_email(username), "password": DEMO_PASSWORD}
            with self._calls() as calls:
                answer = calls.post("/auth/login", json=body).raise_for_status()
            self._tokens[username] = answer.json()["access_token"]
        return self._tokens[username]

    def log_out(self, username):
        """Forget somebody's token, so that the next one is new."""
        self._tokens.pop(username, None)

    def send(self, username, text):
        """Send a message to #general."""
        bearer = {"Authorization": f"Bearer {self.token(username)}"}
        with self._calls() as calls:
            path = f"/conversations/{GENERAL}/messages"
            calls.post(path, json={"content": text}, headers=bearer).raise_for_status()

    def connected(self, username):
        """Open a socket as somebody's phone does."""
        address = f"{self.url.replace('http', 'ws', 1)}/api/v1/ws?token={self.token(username)}"
        return connect(address, proxy=None, open_timeout=PATIENCE)

    def push(self, username, event, **edits):
        """Let the server push an event to somebody, as it stands, by ``tribe-ws trigger``."""
        sets = [f"--set=data.{name}={json.dumps(value)}" for name, value in edits.items()]
        command = [sys.executable, "-m", "tribe_ws_cli", "--url", self.url, "trigger", event, "--raw"]
        done = subprocess.run(
            [*command, "--to", username, *sets],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _calls(self):
        return httpx.Client(base_url=f"{self.url}/api/v1", trust_env=False, timeout=PATIENCE)


def subscribe(socket, conversation_id=GENERAL):
    """Subscribe, and wait until the server says so."""
    socket.send(
        json.dumps({"event": "subscribe", "channel": "conversation", "conversation_id": conversation_id})
    )
    heard(socket, "subscribed")


def heard(socket, event):
    """Wait for the next event of a name."""
    while (frame := json.loads(socket.recv(timeout=PATIENCE)))["event"] != event:
        pass
    return frame
