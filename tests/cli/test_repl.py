"""``connect`` in a terminal: a pseudo-terminal stands in for the person's."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from tests.cli.conftest import DEADLINE, Cli
from tribe_ws.capture.names import Names
from tribe_ws.client.results import Conversation, Participant
from tribe_ws_cli.repl import LineCompleter

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


class Terminal:
    """A process in a pseudo-terminal, typed into and looked at."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        surroundings = (
            os.environ | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLUMNS": "100"} | (env or {})
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tribe_ws_cli", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=surroundings,
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(slave),
        )
        os.close(slave)
        self.raw = ""

    @property
    def text(self) -> str:
        return _CONTROL.sub("", self.raw).replace("\r", "")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait_for(self, pattern: str, *, after: int = 0) -> None:
        deadline = time.monotonic() + DEADLINE
        while not re.search(pattern, self.text[after:]):
            left = deadline - time.monotonic()
            is_hopeless = left < 0 or self.process.poll() is not None
            assert not is_hopeless, f"{pattern!r} did not come; the screen: {self.text!r}"
            self._read(left)

    def end(self) -> int:
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text
            self._read(0.1)
        self._read(0.1)
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self, timeout: float) -> None:
        ready, _, _ = select.select([self._master], [], [], timeout)
        if not ready:
            return
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return
        if b"\x1b[6n" in data:
            # The prompt asks where the cursor is, as it asks every terminal.
            os.write(self._master, b"\x1b[1;1R")
        self.raw += data.decode("utf-8", "replace")


def _take_terminal(slave: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def connect(terminals: list[Terminal], *arguments: str) -> Terminal:
    terminal = Terminal("connect", "--as", "alice", *arguments)
    terminals.append(terminal)
    terminal.wait_for(r"alice( #\w+)?>")
    return terminal


@pytest.mark.usefixtures("server")
def test_a_session_in_a_terminal(cli: Cli, terminals: list[Terminal]) -> None:
    terminal = connect(terminals)
    terminal.wait_for(r"← +connected +WebSocket connection established")
    terminal.type("/subscribe general\r")
    terminal.wait_for(r"← +subscribed +#general")
    terminal.wait_for(r"alice #general>")
    terminal.type("Morning!\r")
    terminal.wait_for(r'⇡ +POST message #general +"Morning!" +201')
    terminal.wait_for("The server does not echo your own message")
    sent = cli("send", "general", "--file", "-", "--as", "bob", input="evil \x1b]0;pwned\x07")
    assert sent.exit_code == 0, sent.output
    terminal.wait_for(r"← +message\.new +#general +bob: evil \\x1b\]0;pwned\\x07")
    assert "\x1b]0;pwned" not in terminal.raw
    terminal.type("/subscibe x\r")
    terminal.wait_for(r"No /subscibe\. Did you mean /subscribe\?")
    terminal.type("/filter form:x\r")
    terminal.wait_for('unknown field "form"')
    terminal.type("\x04")
    assert terminal.end() == 0
    assert re.search(r"Closed 1000\. .*events in, 2 out", terminal.text)


@pytest.mark.usefixtures("server")
def test_ctrl_c_at_the_prompt_is_130(terminals: list[Terminal]) -> None:
    terminal = connect(terminals, "-s", "general")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "Closed 1000." in terminal.text


@pytest.mark.usefixtures("server")
def test_term_at_the_prompt_is_143(terminals: list[Terminal]) -> None:
    terminal = connect(terminals)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 143


@pytest.mark.usefixtures("server")
def test_tab_completes(terminals: list[Terminal]) -> None:
    terminal = connect(terminals)
    terminal.type("/subs\t")
    terminal.wait_for("cribe")
    terminal.type(" gen\t")
    terminal.wait_for("#general")
    terminal.type("\r")
    terminal.wait_for(r"→ +subscribe +#general")


@pytest.mark.usefixtures("server")
def test_colour_is_for_terminals_that_want_it(terminals: list[Terminal]) -> None:
    terminal = Terminal("users", "list", "--as", "alice")
    terminals.append(terminal)
    assert terminal.end() == 0
    assert "\x1b[2m" in terminal.raw
    plain = Terminal("users", "list", "--as", "alice", env={"NO_COLOR": "1"})
    terminals.append(plain)
    assert plain.end() == 0
    assert "\x1b[" not in plain.raw


@pytest.mark.usefixtures("server")
def test_a_password_is_asked_for_and_not_shown(terminals: list[Terminal]) -> None:
    from tribe_ws import running

    for record in running.runtime_folder().iterdir():
        record.unlink()
    terminal = Terminal("login", "alice")
    terminals.append(terminal)
    terminal.wait_for("Password of alice: ")
    terminal.type("Tribe-demo-1\r")
    assert terminal.end() == 0
    assert "Tribe-demo-1" not in terminal.text
    assert "as alice" in terminal.text


def test_two_passwords_that_differ_send_nothing(terminals: list[Terminal]) -> None:
    terminal = Terminal("register", "erin", "--url", "127.0.0.1:9")
    terminals.append(terminal)
    terminal.wait_for("Password for erin: ")
    terminal.type("Secret-123\r")
    terminal.wait_for("Again: ")
    terminal.type("Secret-124\r")
    assert terminal.end() == 2
    assert "the two passwords differ" in terminal.text


def test_reset_asks_on_a_terminal(terminals: list[Terminal], cli: Cli) -> None:
    cli("fixtures", "apply", "--db", "t.db")
    for answer, code in (("n", 2), ("y", 0)):
        terminal = Terminal("fixtures", "reset", "--db", "t.db")
        terminals.append(terminal)
        terminal.wait_for(r"Throw away everything in .*t\.db\? \[y/N\]")
        terminal.type(f"{answer}\r")
        assert terminal.end() == code


def completer() -> LineCompleter:
    people = tuple(Participant(f"id-{one}", one, one.title(), "member", None) for one in ("alice", "bob"))
    names = Names(
        [
            Conversation("c-general", "group", "general", people, None, 0, None),
            Conversation("c-direct", "direct", None, people, None, 0, None),
        ],
        "alice",
    )
    person: Any = SimpleNamespace(live=SimpleNamespace(names=names))
    return LineCompleter(person)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/sub", {"/subscribe"}),
        ("/subscribe ", {"#general", "@bob"}),
        ("/subscribe ge", {"#general"}),
        ("/subscribe general #b", {"@bob"}),
        ("/as b", {"bob"}),
        ("/presence a", {"away"}),
        ("/time ", {"clock", "rel", "delta"}),
        ("/filter is", {"is:violation"}),
        ("/help sub", {"subscribe"}),
        ("/token x", set()),
        ("hello", set()),
        ("hello #g", {"#general"}),
        ("hello @a", {"@alice"}),
        ('{"ev', {"event"}),
        ('{"event":"p', {"presence", "ping"}),
        ('{"event": "subs', {"subscribe"}),
        ('{"event":"subscribe","conversation_id":"c-g', {"c-general"}),
        ('{"event":"subscribe","c', {"channel", "conversation_id"}),
        ('{"nothing":"x', set()),
        ("//", set()),
    ],
)
def test_completions(line: str, expected: set[str]) -> None:
    found = completer().get_completions(Document(line), CompleteEvent())
    assert {completion.text for completion in found} == expected
