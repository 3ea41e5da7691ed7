"""The demo world's accounts, known to the server that makes them and to the tools that log in as them."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

DEMO_USERNAMES = ("alice", "bob", "cara", "dan")
# The password of a public demo on a loopback address is no secret; it is printed by `serve`.
DEMO_PASSWORD = "Tribe-demo-1"  # noqa: S105
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:tribe-ws:fixtures")


def demo_email(username: str) -> str:
    """Tell the e-mail address under which a demo user logs in."""
    return f"{username}@tribe.test"


def fixture_id(alias: str) -> str:
    """Tell the id of the thing with that readable alias (``user:alice``, ``conversation:general``).

    The same alias has the same id on every machine, so tests and transcripts can name it.
    """
    return str(uuid5(_NAMESPACE, alias))
