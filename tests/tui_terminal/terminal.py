"""A real terminal, kept by tmux: what is typed into it, what it shows, and how a program leaves it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE = 30.0
"""Seconds that anything may take on a machine with better things to do."""
_LOOK_EVERY = 0.05
_PROMPT = "ready>"
# What a program can leave switched on in a terminal, in tmux's words.
_MODES = ["alternate_on", "cursor_flag", "mouse_any_flag", "mouse_sgr_flag", "keypad_flag", "insert_flag"]
_CONFIGURATION = """
set -g status off
set -g default-terminal xterm-256color
set -g escape-time 0
"""


def until(look, what, seconds=PATIENCE):
    """Look again and again until there is something, with a deadline."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds:.0f} s: {what() if callable(what) else what}")
        time.sleep(_LOOK_EVERY)
    return found


class Terminal:
    """One terminal with a shell in it."""

    def __init__(self, environment, columns=120, rows=40):
        self._folder = Path(tempfile.mkdtemp(prefix="tty"))
        (self._folder / "conf").write_text(_CONFIGURATION)
        (self._folder / "rc").write_text(f"PS1='{_PROMPT} '\n")
        self._environment = environment | {"ENV": str(self._folder / "rc"), "COLORTERM": "truecolor"}
        size = ("-x", str(columns), "-y", str(rows))
        self.tmux("-f", str(self._folder / "conf"), "new-session", "-d", "-s", "main", *size, "sh")
        self.shell = int(self.told("pane_pid"))

    def is_ready(self):
        """Wait until the shell reads commands."""
        self.sees(_PROMPT)

    def tmux(self, *arguments):
        """Run tmux on a socket of its own, and give what it says."""
        command = ["tmux", "-S", str(self._folder / "socket"), *arguments]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, f"tmux {arguments}: {done.stderr}"
        return done.stdout

    def told(self, variable):
        """Ask tmux for one of its variables about this terminal."""
        return self.tmux("display-message", "-p", "-t", "=main:", f"#{{{variable}}}").strip()

    # ── typing ──────────────────────────────────────────────────────────────────────────────────────────────

    def type(self, text):
        """Type a text, letter by letter as it stands."""
        self.tmux("send-keys", "-l", "-t", "=main:", text)

    def press(self, *keys):
        """Press keys, by tmux's names for them."""
        self.tmux("send-keys", "-t", "=main:", *keys)

    def run(self, command):
        """Give the shell a command."""
        self.type(command)
        self.press("Enter")

    def resize(self, columns, rows):
        """Give the terminal another size."""
        self.tmux("resize-window", "-t", "=main:", "-x", str(columns), "-y", str(rows))

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────

    def screen(self, *how):
        """Give what is on the screen."""
        return self.tmux("capture-pane", "-p", "-t", "=main:", *how)

    def sees(self, pattern, seconds=PATIENCE):
        """Wait until a regular expression is found on the screen; gives the match."""
        return until(
            lambda: re.search(pattern, self.screen(), re.MULTILINE),
            lambda: f"{pattern!r} on\n{self.screen()}",
            seconds,
        )

    def sees_no_more(self, pattern):
        """Wait until a regular expression is not found on the screen any more."""
        until(
            lambda: not re.search(pattern, self.screen(), re.MULTILINE),
            lambda: f"no {pattern!r} on\n{self.screen()}",
        )

    def state(self):
        """Tell all that a program could leave changed: the line settings, and the modes of the screen."""
        line = subprocess.run(
            ["stty", "-g", "-F", self.told("pane_tty")], capture_output=True, text=True, check=True
        )
        return line.stdout.strip(), {mode: self.told(mode) for mode in _MODES}

    def ends(self, status=0):
        """Wait until the program has ended with a status and the shell reads again."""
        self.sees(rf"{_PROMPT} *$")
        self.run('echo "status $?."')
        self.sees(rf"^status {status}\.$")

    def processes(self):
        """Tell which processes run in this terminal, by their ids, besides the shell."""
        running = (int(place.name) for place in Path("/proc").iterdir() if place.name.isdecimal())
        return [pid for pid in running if pid != self.shell and session_of(pid) == self.shell]

    # ── ending ──────────────────────────────────────────────────────────────────────────────────────────────

    def close(self):
        """Close the terminal as its user does, by its window."""
        left = self.processes()
        subprocess.run(
            ["tmux", "-S", str(self._folder / "socket"), "kill-server"], capture_output=True, check=False
        )
        shutil.rmtree(self._folder, ignore_errors=True)
        try:
            until(lambda: not any(map(is_alive, left)), "the end of what ran in the terminal")
        finally:
            for pid in filter(is_alive, left):
                os.kill(pid, signal.SIGKILL)


def is_alive(pid):
    """Tell whether a process still runs."""
    return _told_of(pid)[:1] not in ([], ["Z"])


def session_of(pid):
    """Tell in which session a process runs; there is none for one that has ended."""
    told = _told_of(pid)
    return int(told[3]) if told else None


def _told_of(pid):
    """Read what the system tells of a process after its name: state, parent, group, session, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
