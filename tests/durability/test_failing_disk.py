"""A disk that fails now and then: what it failed for is told as failed, what was told as stored is there."""

from __future__ import annotations

import shutil
import subprocess

import pytest

STRACE = ("strace", "-f", "-qq", "-o", "/dev/null")


@pytest.fixture
def under_strace() -> tuple[str, ...]:
    """The command that runs another one with failing system calls."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    if subprocess.run([*STRACE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    return STRACE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("fdatasync:error=EIO:when=20+7", "storage_io"),
        ("pwrite64:error=ENOSPC:when=120+23", "storage_full"),
        ("pwrite64:error=EIO:when=120+31", "storage_io"),
    ],
    ids=["fsync", "disk-full", "write"],
)
def test_a_failing_disk_loses_nothing_that_was_acknowledged(
    start_sending, check_history, under_strace, call, reason
):
    name = call.partition(":")[0]
    traced = (*under_strace, "-e", f"trace={name}", "-e", f"inject={call}")
    with start_sending(4, 40, under=traced) as process:
        told = [line.split() for line in process.stdout]
    assert process.returncode == 0, "the program lived on"
    stored = [words[1] for words in told if words[0] == "stored"]
    failed = [words[1] for words in told if words[0] == "failed"]
    assert set(failed) == {reason}
    assert len(stored) + len(failed) == 160
    assert check_history(stored) == len(stored) + 7


@pytest.mark.slow
def test_a_slow_disk_delays_and_loses_nothing(start_sending, check_history, under_strace):
    traced = (*under_strace, "-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_exit=50000")
    with start_sending(16, 3, under=traced) as process:
        told = [line.split() for line in process.stdout]
    assert [words[0] for words in told].count("stored") == 48
    check_history([words[1] for words in told if words[0] == "stored"])
