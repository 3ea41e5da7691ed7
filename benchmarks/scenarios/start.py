"""How long the command line takes to say its version and its help, beside a Python that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.contestants import Stable
from benchmarks.figures import Figure
from benchmarks.machine import SERVER_CORE, pin
from benchmarks.metrics import OURS, PYTHON
from benchmarks.sockets import DriverError

_RUNS = 11
_PROGRAM = Path(sys.executable).with_name("tribe-ws")
_COMMANDS = {
    "bare": [sys.executable, "-c", "pass"],
    "version": [str(_PROGRAM), "--version"],
    "help": [str(_PROGRAM), "--help"],
}


async def measure(_stable: Stable, number: int) -> list[Figure]:
    """Measure one pass, the commands in turn."""
    taken: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for _ in range(_RUNS):
        for name, command in _COMMANDS.items():
            taken[name].append(_milliseconds(command))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    return [
        figure
        for name in ("version", "help")
        for figure in (
            Figure(f"start/{name}", OURS, number, medians[name]),
            Figure(f"start/{name}", PYTHON, number, medians["bare"]),
        )
    ]


def _milliseconds(command: list[str]) -> float:
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    pin(process.pid, SERVER_CORE)
    _, complaint = process.communicate(timeout=30)
    if process.returncode:
        raise DriverError(f"{' '.join(command)} failed: {complaint.decode()[-500:]}")
    return (time.monotonic() - started) * 1000
