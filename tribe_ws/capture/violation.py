"""What a violation is: which clause of the contract a frame breaks, where in the frame, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Violation:
    """One clause that one frame breaks.

    ``clause`` is the clause's id in ``protocol.contract``. ``path`` is the dotted place in the frame, empty
    for the frame as a whole. ``got`` and ``want`` may be empty where ``message`` says it all.
    """

    clause: str
    path: str
    message: str
    got: str = ""
    want: str = ""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        clause = f" ({self.clause})" if self.clause else ""
        return f"{where}{self.message}{clause}"

    def as_json(self) -> dict[str, str]:
        """Give the form that stands in a capture; what is empty is left out, but for the clause."""
        told = {"path": self.path, "message": self.message, "got": self.got, "want": self.want}
        return {"clause": self.clause} | {key: text for key, text in told.items() if text}

    @classmethod
    def from_json(cls, form: Any) -> Self:
        """Read one back; a bare text is one whose clause nobody noted. Raises ``ValueError``."""
        if isinstance(form, str):
            return cls("", "", form)
        if not isinstance(form, dict) or not all(isinstance(value, str) for value in form.values()):
            raise ValueError("a violation is an object of texts")
        known = ("clause", "path", "message", "got", "want")
        return cls(*(form.get(key, "") for key in known))
