"""Whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def in_turn(contestants: Sequence[T], number: int) -> list[T]:
    """Order the contestants for that pass: each pass begins with the next one."""
    shift = number % len(contestants)
    return [*contestants[shift:], *contestants[:shift]]
