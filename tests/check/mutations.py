"""All ways in which our server is broken on purpose, by name."""

from __future__ import annotations

from tests.check import mutations_live, mutations_profiles, mutations_rest, mutations_socket
from tests.check.breaking import MUTATIONS, Mutation

__all__ = [
    "MUTATIONS",
    "Mutation",
    "mutations_live",
    "mutations_profiles",
    "mutations_rest",
    "mutations_socket",
]
