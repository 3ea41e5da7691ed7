"""What a linter found in a scenario, and which rules there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tribe_ws.scenario.place import Place

Severity = Literal["error", "warning"]

RULES: dict[str, tuple[Severity, str]] = {
    "invalid": ("error", "the file cannot be understood at all"),
    "undefined-variable": (
        "error",
        "`${{ name }}` names nothing that is declared, or captured by an earlier step",
    ),
    "unused-variable": ("warning", "a declared variable that nothing uses"),
    "unused-capture": ("warning", "a captured value that nothing uses"),
    "unused-actor": ("warning", "an actor, or a connection, that does nothing"),
    "unknown-event": ("error", "an event that no server sends, in no profile"),
    "event-not-in-profile": ("error", "an expected event that the scenario's profile does not have"),
    "unknown-key": ("error", "a key that the expected event does not have in this profile"),
    "own-message": (
        "error",
        "a message or a typing is expected by the actor who sent it; nobody gets their own",
    ),
    "not-subscribed": ("error", "a message or a typing is expected before the connection has subscribed"),
    "never-subscribed": (
        "warning",
        "`never` of one's own message on a connection that never subscribed: it proves nothing",
    ),
    "claimed": ("error", "`expect` of an answer that `connect`, `subscribe` or `ping` has claimed already"),
    "not-connected": (
        "error",
        "a step of a connection that an earlier step has closed",
    ),
    "connected-twice": ("warning", "`connect` on a connection that is open already"),
    "not-a-member": ("error", "somebody subscribes to, or writes in, a conversation they are not in"),
    "v2-only": ("error", "an option that only a v2 connection has"),
    "too-slow": ("error", "the waits alone take longer than the scenario's timeout"),
    "no-expectation": ("warning", "a scenario that expects nothing can only fail by accident"),
}
"""Every rule: how severe it is, and what it finds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a linter found: where, by which rule, what it is, and what to do about it."""

    place: Place
    rule: str
    message: str
    hint: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is: an error will fail, a warning may be meant."""
        return RULES[self.rule][0]

    def __str__(self) -> str:
        hint = f"\n  {self.hint}" if self.hint else ""
        return f"{self.place}: {self.severity}: {self.message} [{self.rule}]{hint}"

    def as_json(self) -> dict[str, object]:
        """Give the form for programs."""
        return {
            "file": self.place.path,
            "line": self.place.line,
            "column": self.place.column,
            "severity": self.severity,
            "rule": self.rule,
            "message": self.message,
            "hint": self.hint,
        }
