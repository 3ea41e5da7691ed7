from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

import pytest

from tribe_ws.client.missed import missed_messages, newest_id
from tribe_ws.client.results import Message, MessagePage, User
from tribe_ws.errors import ApiError, TribeError

NOBODY = User("", "", "")


def message(name: str) -> Message:
    return Message(name, "room", NOBODY, name, "text", None)


class Archive:
    """A conversation behind REST; ``quirk`` is what this server does differently."""

    def __init__(self, count: int, quirk: str = "") -> None:
        self.ids = [str(number) for number in range(count)]
        self.quirk = quirk
        self.calls: list[tuple[str | None, str | None]] = []

    async def messages(
        self, conversation_id: str, *, limit: int = 50, before: str | None = None, after: str | None = None
    ) -> MessagePage:
        assert conversation_id == "room"
        self.calls.append((before, after))
        if after is not None and self.quirk != "ignores after":
            if self.quirk == "no after" or after not in self.ids:
                raise ApiError(404, "Message not found")
            if self.quirk == "broken":
                raise ApiError(500, "oops")
            rest = self.ids[self.ids.index(after) + 1 :]
            return self._page(rest[:limit], has_more=len(rest) > limit)
        known = self.quirk != "ignores before" and before in self.ids
        rest = self.ids[: self.ids.index(before or "")] if known else self.ids
        return self._page(rest[-limit:], has_more=len(rest) > limit)

    def _page(self, ids: list[str], *, has_more: bool) -> MessagePage:
        has_more = has_more or self.quirk == "always more"
        return MessagePage(tuple(message(one) for one in ids), has_more, None)


def nothing_known(_: str) -> bool:
    return False


async def missed(archive: Archive, anchor: str, is_known: Callable[[str], bool] = nothing_known) -> list[str]:
    async with aclosing(missed_messages(archive, "room", anchor, is_known)) as messages:
        return [one.id async for one in messages]


async def test_the_newest_message_is_told() -> None:
    assert await newest_id(Archive(3), "room") == "2"
    assert await newest_id(Archive(0), "room") is None


@pytest.mark.parametrize("count", [11, 60, 61, 110, 111, 260])
async def test_all_pages_after_the_anchor_come_in_order(count: int) -> None:
    archive = Archive(count)
    assert await missed(archive, "10") == archive.ids[11:]
    assert all(after is not None for _, after in archive.calls)


async def test_an_anchor_that_is_gone_is_replaced_by_going_backwards() -> None:
    archive = Archive(120)
    assert await missed(archive, "deleted", lambda one: one == "40") == archive.ids[20:]


@pytest.mark.parametrize("quirk", ["ignores after", "no after"])
async def test_a_server_without_after_is_read_backwards(quirk: str) -> None:
    archive = Archive(130, quirk)
    assert await missed(archive, "10") == archive.ids[11:]


async def test_from_the_very_beginning_everything_was_missed() -> None:
    archive = Archive(130)
    assert await missed(archive, "") == archive.ids
    assert await missed(Archive(0), "") == []


@pytest.mark.parametrize("quirk", ["always more", "ignores before"])
async def test_a_server_that_never_says_the_end_is_not_asked_for_ever(quirk: str) -> None:
    archive = Archive(70, quirk)
    assert (await missed(archive, "10"))[-1] == "69"
    assert await missed(archive, "")
    assert len(archive.calls) < 10


async def test_another_error_is_not_taken_for_a_missing_anchor() -> None:
    with pytest.raises(ApiError, match="500"):
        await missed(Archive(10, "broken"), "5")


async def test_reading_backwards_has_an_end() -> None:
    with pytest.raises(TribeError, match="more than 1000"):
        await missed(Archive(1200, "no after"), "0")
