"""How rows become records: the columns to select, in the order in which the records take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tribe_ws.storage.milliseconds import from_milliseconds, maybe_moment
from tribe_ws.storage.records import Participant, User
from tribe_ws.storage.tables import participants, users

USER_COLUMNS = (
    users.c.id,
    users.c.email,
    users.c.username,
    users.c.full_name,
    users.c.bio,
    users.c.profile_image_url,
    users.c.cover_image_url,
    users.c.goals_achieved,
    users.c.photos_shared,
    users.c.email_verified,
    users.c.is_verified,
    users.c.is_active,
    users.c.status,
    users.c.last_seen_ms,
    users.c.created_ms,
)
"""Everything of a user but the password's hash, which leaves the database for a login only."""

PARTICIPANT_COLUMNS = (
    users.c.id,
    users.c.username,
    users.c.full_name,
    users.c.profile_image_url,
    participants.c.role,
    users.c.last_seen_ms,
)


def user_from(values: Sequence[Any]) -> User:
    """Make a user of the values of ``USER_COLUMNS``."""
    *plain, last_seen_ms, created_ms = values
    fields = [*plain, maybe_moment(last_seen_ms), from_milliseconds(created_ms)]
    return User(*fields)


def participant_from(values: Sequence[Any]) -> Participant:
    """Make a participant of the values of ``PARTICIPANT_COLUMNS``."""
    *plain, last_seen_ms = values
    fields = [*plain, maybe_moment(last_seen_ms)]
    return Participant(*fields)
