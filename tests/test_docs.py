"""The documentation cannot lie: its transcripts, scripts and examples are run, its tables come from the code.

A transcript is a ``console`` block: what stands after ``$`` is typed into a terminal of its own; the lines
below must appear there, with times, ids, ports and paths masked. A terminal stays open until the section ends
when its command says that Ctrl+C stops it.
"""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
import termios
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest

from tribe_ws import __version__
from tribe_ws.protocol.codec import decode_client_frame, decode_server_frame, encode
from tribe_ws.protocol.frames import APP_FRAMES, CLIENT_FRAMES
from tribe_ws.protocol.frames_v2 import CLIENT_FRAMES_V2, V2_FRAMES, ErrorCode
from tribe_ws.scenario.library import builtin_scenarios
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.registry import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SCENARIOS = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
PATIENCE = 60.0
CTRL_C = b"\x03"

MASKS = (
    (r"\b\d\d:\d\d:\d\d(\.\d+)?", "HH:MM:SS"),
    (r"\b\d{4}-\d\d-\d\d\b", "YYYY-MM-DD"),
    (r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "UUID"),
    (r"\b\d+(\.\d+)? (ms|s)\b", "DURATION"),
    (r"\b(?=[0-9a-f]*\d)[0-9a-f]{6}\b", "ID"),
    (r" --url http://127\.0\.0\.1:\d+", ""),  # a hint holds it wherever the port is not the usual one
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"(db: )\S+(?=/tribe\.db)", r"\1…"),
    (r"\s+", " "),
)


def section(heading):
    """Tell the text under a heading, up to the next one of the same depth."""
    start = re.search(rf"^(#+) {re.escape(heading)}$", README, re.MULTILINE)
    assert start, f"the README has no section {heading!r}"
    rest = README[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def blocks(language, text=README):
    """Tell the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def masked(line):
    for pattern, mask in MASKS:
        line = re.sub(pattern, mask, line)
    return line.strip()


def shows(lines, expected):
    """Tell whether that is what the page shows, where a line of ``…`` stands for any further lines."""
    pattern = "".join(r"(.*\n)*" if line == "…" else re.escape(line) + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def visible_lines(text):
    return [masked(line) for line in text.splitlines() if line.strip()]


class Home:
    """A home folder with nothing in it but the address every command there uses by itself."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "run").mkdir(mode=0o700)
        config = folder / ".config" / "tribe-ws" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'url = "http://127.0.0.1:{self.port}"\n\n[server]\nport = {self.port}\n')
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TRIBE_WS_", "XDG_")) and not name.lower().endswith("_proxy")
        }
        self.environ = kept | {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "NO_COLOR": "1",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        }
        self.terminals = []

    def type(self, command):
        self.terminals.append(Terminal(command, self))
        return self.terminals[-1]

    def run(self, *command):
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=2 * PATIENCE
        )

    def leave(self):
        for terminal in reversed(self.terminals):
            terminal.close()


class Terminal:
    """A pseudo terminal with one command line in it, and what appeared there."""

    def __init__(self, command, home):
        self.command = command
        self.screen, inside = pty.openpty()
        termios.tcsetwinsize(inside, (50, 160))
        self.process = subprocess.Popen(
            # A session's leader that opens a terminal gets it for its own, and so the SIGINT of its Ctrl+C.
            ["bash", "-c", f"exec <{os.ttyname(inside)}; {command}"],
            start_new_session=True,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env=home.environ,
            cwd=home.folder,
        )
        os.close(inside)
        self.appeared = b""
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        # A terminal whose last process has gone answers EIO.
        with suppress(OSError):
            while data := os.read(self.screen, 65536):
                with self.changed:
                    self.appeared += data
                    self.changed.notify_all()

    @property
    def lines(self):
        return visible_lines(self.appeared.decode("utf-8", "replace"))

    def wait_until(self, accept):
        with self.changed:
            self.changed.wait_for(lambda: accept(self.lines), PATIENCE)
            return self.lines

    def stays_open(self):
        """Wait until the command ends or says how to stop it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            if any("Ctrl+C stops" in line for line in self.wait_for_more()):
                return True
        return False

    def wait_for_more(self):
        with self.changed:
            self.changed.wait(0.05)
            return self.lines

    def told(self, expected):
        return "\n".join([f"$ {self.command}", *self.lines, "", "but the page shows:", *expected])

    def close(self):
        if self.process.poll() is None:
            os.write(self.screen, CTRL_C)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        self.process.kill()
        self.process.wait()
        self.reader.join()
        os.close(self.screen)


@pytest.fixture
def home(tmp_path):
    somebody = Home(tmp_path)
    yield somebody
    somebody.leave()


@pytest.fixture
def served(home):
    assert home.type("tribe-ws serve").stays_open(), home.terminals[0].lines
    return home


def play(home, text):
    """Type the commands of a section and compare what appears with what the section shows."""
    still_open = []
    for block in blocks("console", text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            terminal, expected = home.type(command.partition("   #")[0]), visible_lines(shown)
            if terminal.stays_open():
                still_open.append((terminal, expected))
            else:
                terminal.process.wait(PATIENCE)
                terminal.reader.join()
                assert shows(terminal.lines, expected), terminal.told(expected)
    for terminal, expected in still_open:
        seen = terminal.wait_until(lambda lines, expected=expected: shows(lines, expected))
        assert shows(seen, expected), terminal.told(expected)


def write_files(home, text):
    """Write the files a page shows: the blocks of YAML that begin with their name, as in ``# hello.yaml``."""
    for block in blocks("yaml", text):
        if named := re.match(r"# (\S+\.yaml)\n", block):
            (home.folder / named[1]).write_text(block, "utf-8")


def test_first_page_shows_what_the_demo_prints(home):
    play(home, README[: README.index("\n## ")])


def test_five_minutes_happen_as_written(home):
    play(home, section("Five minutes"))


def test_captures_and_filters_happen_as_written(home):
    play(home, section("Captures and filters"))


def test_replay_happens_as_written(home):
    play(home, section("Replay"))


def test_scenarios_happen_as_written(home):
    write_files(home, section("Scenarios"))
    play(home, section("Scenarios"))


def test_check_finds_what_the_page_shows(home):
    play(home, section("Check a server"))


def test_page_on_scenarios_shows_what_happens(home):
    write_files(home, SCENARIOS)
    play(home, SCENARIOS)


@pytest.mark.parametrize("script", blocks("sh", SCENARIOS), ids=range(len(blocks("sh", SCENARIOS))))
def test_script_on_the_page_on_scenarios_runs(home, script):
    write_files(home, SCENARIOS)
    ran = home.run("bash", "-c", script)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", sorted(builtin_scenarios()))
def test_built_in_scenario_is_on_the_page_on_scenarios(name):
    assert f"| `{name}` |" in SCENARIOS


@pytest.mark.parametrize("example", blocks("python"), ids=range(len(blocks("python"))))
def test_python_example_runs(served, example, tmp_path):
    script = tmp_path / ("test_example.py" if "def test_" in example else "example.py")
    script.write_text(example.replace("127.0.0.1:8000", f"127.0.0.1:{served.port}"), "utf-8")
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if "def test_" in example else []
    ran = served.run(sys.executable, *command, str(script))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "script",
    [block for block in blocks("sh") if "--ready-file" in block],
    ids=lambda script: script.split()[1],
)
def test_script_for_continuous_integration_runs(home, script):
    ran = home.run("bash", "-c", script)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("example", blocks("json"))
def test_frame_shown_is_a_frame_of_the_contract(example):
    frame = json.loads(example)
    compact = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    try:
        model = decode_server_frame(frame)
    except ValueError:
        model = None
    assert encode(model or decode_client_frame(compact)).decode() == compact


@pytest.mark.parametrize(
    ("base", "flags"), re.findall(r"`API_BASE_URL=(http://[\w.]+:8000)` \| `tribe-ws serve *(.*?)`", README)
)
def test_server_answers_to_the_address_the_app_is_given(home, base, flags):
    terminal = home.type(f"tribe-ws serve --db :memory: {flags}")
    assert terminal.stays_open(), terminal.lines
    asked = urllib.request.Request(f"http://127.0.0.1:{home.port}/health", headers={"Host": base[7:]})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=PATIENCE) as answer:
        assert answer.status == 200


def test_page_begins_with_the_two_commands():
    first, second = blocks("sh")[:2]
    assert first.strip() == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/tribe-ws demo"
    assert second.strip() == 'python3 -m venv .venv && .venv/bin/pip install "nox[uv]" && .venv/bin/nox'


def test_tables_are_those_the_code_makes():
    """Run ``nox -s readme`` when this fails."""
    checked = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", "-I", "docs", "README.md"],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("frame", [*CLIENT_FRAMES_V2, *V2_FRAMES], ids=lambda frame: frame.__name__)
def test_event_of_v2_is_in_the_page(frame):
    assert f"| `{frame.model_fields['event'].default}` |" in section("The events")


@pytest.mark.parametrize("code", get_args(ErrorCode))
def test_error_code_is_in_the_page(code):
    assert f"`{code}`" in section("The events")


@pytest.mark.parametrize("name", ["events", "events_v2", "settings", "close_codes", "rest", "commands"])
def test_table_is_in_the_page(name):
    assert f"tables.{name}()" in README


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_command_is_in_the_page(entry):
    assert f"#### `tribe-ws {entry.name}`" in README


@pytest.mark.parametrize("exit_code", ExitCode, ids=lambda code: code.name)
def test_exit_code_is_in_the_page(exit_code):
    assert f"| `{int(exit_code)}` |" in section("Commands")


@pytest.mark.parametrize("frame", [*CLIENT_FRAMES, *APP_FRAMES], ids=lambda frame: frame.__name__)
def test_event_is_in_the_page(frame):
    assert f"| `{frame.model_fields['event'].default}` |" in section("The events")


def test_changelog_has_an_entry_for_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    entry = changelog[changelog.index(f"## {__version__}") :]
    assert re.search(r"^### (Added|Changed|Fixed)\n\n- \S", entry, re.MULTILINE)


def test_every_session_is_explained_to_contributors():
    sessions = re.findall(
        r"^@nox\.session.*\ndef (\w+)", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE
    )
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [name for name in sessions if f"`{name}`" not in contributing] == []


def test_links_within_the_documents_lead_somewhere():
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/scenarios.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text("utf-8")):
            assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
