"""What the kernel tells about this machine and about a process on it.

Everything degrades: where there is no ``/proc`` or no affinity, the run goes on and the report says less.
"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SERVER_CORE = 0
DRIVER_CORE = 1

_PACKAGES = ("uvicorn", "fastapi", "websockets", "uvloop", "httptools", "sqlalchemy", "pydantic", "textual")


def pin(pid: int, core: int) -> bool:
    """Keep a process (0 is this one) on one core; ``False`` where that cannot be done.

    Threads a process starts later stay on the core too, so a child is pinned as soon as it exists.
    """
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) <= max(SERVER_CORE, DRIVER_CORE):
        return False
    try:
        os.sched_setaffinity(pid, {core})
    except OSError:
        return False
    return True


def cpu_seconds(pid: int) -> float:
    """Tell how long a process has been on a core so far, all its threads together, system calls included."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except (OSError, ValueError, IndexError):
        return _ticks(pid) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Tell how much memory of a process is resident."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def describe_machine() -> str:
    """Say in one line what was measured on."""
    system = f"{platform.system()} {platform.release()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {os.cpu_count()} cores, {system}, {python}"


def describe_packages() -> str:
    """Say in one line which versions of the packages that matter were measured."""
    found = []
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return ", ".join(found)


def describe_load() -> str:
    """Say how busy the machine was, whoever made it so."""
    return "unknown" if not hasattr(os, "getloadavg") else f"{os.getloadavg()[0]:.2f}"


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _ticks(pid: int) -> int:
    # The name of the program, in brackets, may itself hold spaces and brackets.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
