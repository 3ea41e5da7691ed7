"""Fetches what was missed in a conversation: by ``?after=`` or, where a server knows it not, backwards.

Ends in any case: a server that gives the same page again and again is not asked for ever.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from tribe_ws.client.results import Message, MessagePage
from tribe_ws.errors import ApiError, TribeError

PAGE = 50
MOST_BACKWARDS = 1000
NOT_FOUND = 404


class History(Protocol):
    """Where missed messages are fetched; ``RestClient`` is one."""

    async def messages(
        self, conversation_id: str, *, limit: int = ..., before: str | None = ..., after: str | None = ...
    ) -> MessagePage:
        """Give one page of messages, oldest first."""
        ...


async def newest_id(history: History, conversation_id: str) -> str | None:
    """Tell the newest message's id; ``None`` for an empty conversation."""
    page = await history.messages(conversation_id, limit=1)
    return page.messages[-1].id if page.messages else None


async def missed_messages(
    history: History, conversation_id: str, anchor: str, is_known: Callable[[str], bool]
) -> AsyncGenerator[Message]:
    """Give every message after ``anchor`` (``""``: from the beginning), oldest first; some may be known."""
    if anchor:
        try:
            async with aclosing(_forwards(history, conversation_id, anchor)) as forwards:
                async for message in forwards:
                    yield message
        except _KnowsNoAfter:
            pass
        except ApiError as error:
            # The anchor is gone, or the server does not know the parameter; the conversation may be fine.
            if error.status != NOT_FOUND:
                raise
        else:
            return
    for message in await _backwards(history, conversation_id, anchor, is_known):
        yield message


class _KnowsNoAfter(Exception):
    """The server ignores ``after``."""


async def _forwards(history: History, conversation_id: str, anchor: str) -> AsyncGenerator[Message]:
    given: set[str] = {anchor}
    waiting: list[Message] = []
    cursor = anchor
    while True:
        page = await history.messages(conversation_id, limit=PAGE, after=cursor)
        fresh = [message for message in page.messages if message.id not in given]
        if len(fresh) < len(page.messages):
            raise _KnowsNoAfter
        # A page is given only when the next one goes on from it: a server that ignores the parameter answers
        # every time with the newest page, which would come before older ones.
        for message in waiting:
            yield message
        given.update(message.id for message in fresh)
        waiting = fresh
        if not page.has_more or not fresh:
            break
        cursor = fresh[-1].id
    for message in waiting:
        yield message


async def _backwards(
    history: History, conversation_id: str, anchor: str, is_known: Callable[[str], bool]
) -> list[Message]:
    found: dict[str, Message] = {}
    before: str | None = None
    while True:
        page = await history.messages(conversation_id, limit=PAGE, before=before)
        fresh = {message.id: message for message in page.messages if message.id not in found}
        found = {**fresh, **found}
        reached = any(one == anchor or is_known(one) for one in fresh)
        if reached or not page.has_more or not fresh:
            break
        if len(found) >= MOST_BACKWARDS:
            raise TribeError(
                f"more than {MOST_BACKWARDS} messages were missed; the older ones were not fetched"
            )
        before = page.messages[0].id
    ids = list(found)
    start = ids.index(anchor) + 1 if anchor in found else 0
    return [found[one] for one in ids[start:]]
