from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tribe_ws.client.results import (
    read_conversation,
    read_conversation_page,
    read_message,
    read_message_page,
    read_user,
)
from tribe_ws.errors import ProtocolViolation

SENDER: dict[str, Any] = {"id": "u1", "username": "bob", "full_name": "Bob", "profile_image_url": None}
MESSAGE: dict[str, Any] = {
    "id": "m1", "conversation_id": "c1", "sender": SENDER, "content": "hi", "message_type": "text",
    "created_at": "2024-01-01T12:00:00.000Z", "time_ago": "now",
}  # fmt: skip
CONVERSATION: dict[str, Any] = {
    "id": "c1", "conversation_type": "group", "name": "general", "is_group": True, "unread_count": 3,
    "participants": [
        {"user_id": "u1", "username": "bob", "full_name": "Bob", "role": "admin", "is_online": True},
    ],
    "last_message": {"id": "m1", "sender": SENDER, "content": "hi", "message_type": "text"},
    "last_message_at": "2024-01-01T12:00:00Z",
}  # fmt: skip


def test_the_contracts_shapes_are_read_whole() -> None:
    message = read_message(MESSAGE)
    assert (message.sender.username, message.content) == ("bob", "hi")
    assert message.created_at == datetime(2024, 1, 1, 12, tzinfo=UTC)
    conversation = read_conversation(CONVERSATION)
    assert conversation.is_group
    assert conversation.participants[0].role == "admin"
    assert conversation.participants[0].is_online is True
    assert conversation.last_message is not None
    assert conversation.last_message.conversation_id == "c1"
    assert conversation.unread_count == 3


def test_what_the_contract_does_not_know_is_in_raw() -> None:
    assert read_message(MESSAGE).raw["time_ago"] == "now"
    assert "time_ago" not in repr(read_message(MESSAGE))


def test_what_a_foreign_server_leaves_out_has_a_neutral_default() -> None:
    message = read_message({"id": "m1"}, "c9")
    assert (message.conversation_id, message.sender.id, message.content) == ("c9", "", "")
    assert (message.message_type, message.created_at) == ("text", None)
    conversation = read_conversation({"id": "c1", "participants": "none", "unread_count": "many"})
    assert (conversation.conversation_type, conversation.participants, conversation.unread_count) == (
        "direct", (), 0,
    )  # fmt: skip
    user = read_user({"id": "u1", "is_online": "yes", "bio": 7})
    assert (user.username, user.is_online, user.bio, user.last_seen_at) == ("", None, None, None)


@pytest.mark.parametrize("raw", [{}, {"id": ""}, {"id": 7}, {"id": None}])
def test_an_answer_without_an_id_breaks_the_contract(raw: dict[str, Any]) -> None:
    for read in (read_user, read_message, read_conversation):
        with pytest.raises(ProtocolViolation, match='no "id"'):
            read(raw)


def test_pages_are_read_with_and_without_their_frame() -> None:
    page = read_conversation_page(
        {"conversations": [CONVERSATION, 7], "pagination": {"page": 2, "total": 30, "has_more": True}}
    )
    assert (len(page.conversations), page.page, page.total, page.has_more) == (1, 2, 30, True)
    bare = read_conversation_page({"conversations": [CONVERSATION]})
    assert (bare.page, bare.total, bare.has_more) == (1, 1, False)
    odd = read_conversation_page({"pagination": {"page": "x", "total": []}})
    assert (odd.page, odd.total) == (1, 0)
    messages = read_message_page({"messages": [MESSAGE], "has_more": True, "next_cursor": "m1"}, "c1")
    assert (len(messages.messages), messages.has_more, messages.next_cursor) == (1, True, "m1")
    assert read_message_page({}, "c1").messages == ()
