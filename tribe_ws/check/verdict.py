"""What a probe can come to, and the result that is kept of it.

A probe says *failed* only where it saw the contrary of its clause. What keeps it from seeing anything is no
failure: then it cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tribe_ws.check.evidence import Entry
from tribe_ws.protocol.clause import Clause


class Verdict(StrEnum):
    """What a check says of one clause."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    CANNOT_TELL = "cannot_tell"
    SKIPPED = "skipped"

    @property
    def words(self) -> str:
        """The verdict as people read it."""
        return self.value.replace("_", " ")


class Said(Exception):
    """What ends a probe early; ``verdict`` says with what."""

    verdict: Verdict

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Failed(Said):
    """The server did the contrary of what the clause says; the reason tells what was wanted and seen."""

    verdict = Verdict.FAIL


class CannotTell(Said):
    """Something else kept the probe from seeing whether the clause holds."""

    verdict = Verdict.CANNOT_TELL


class Skipped(Said):
    """The probe was not to run: an account is missing, or it may not write."""

    verdict = Verdict.SKIPPED


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one clause, why, what was seen, and what would mend it.

    ``attempts`` tells how often the probe ran; a failure was seen in two of them at least.
    """

    clause: Clause
    verdict: Verdict
    reason: str = ""
    evidence: Sequence[Entry] = ()
    advice: str = ""
    seconds: float = 0.0
    attempts: int = 0
