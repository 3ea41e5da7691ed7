"""Sending, reading and leaving: what is stored goes out to the sockets, and never the other way round.

Publishing hangs on the storage's own callback and not on the request: what was committed is published, in the
order of the commits, also if the client that sent it has gone (contract 6.1, 6.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tribe_ws.clock import format_timestamp
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.hub import Hub
from tribe_ws.protocol.frames import MessageNew, MessageRead, ReadMark, Sender
from tribe_ws.protocol.frames import NewMessage as NewMessageData
from tribe_ws.protocol.frames_v2 import MAX_MISSED, MessageNewV2, Stamp, widen
from tribe_ws.storage.records import Message, ReadResult, StoredMessage
from tribe_ws.storage.storage import Storage


def message_new(message: Message) -> MessageNew:
    """Build the frame that announces a stored message (contract 3.3)."""
    sender = message.sender
    return MessageNew(
        conversation_id=message.conversation_id,
        data=NewMessageData(
            id=message.id,
            conversation_id=message.conversation_id,
            sender=Sender(
                id=sender.id,
                username=sender.username,
                full_name=sender.full_name,
                profile_image_url=sender.profile_image_url,
            ),
            content=message.content,
            message_type=message.message_type,
            created_at=format_timestamp(message.created_at),
        ),
    )


def stamp_of(message: Message) -> Stamp:
    """Tell what v2 shows of a message besides, and where it was posted."""
    return Stamp(message.seq, message.client_message_id, message.connection_id)


class Messaging:
    """The use cases in which a conversation meets the sockets that listen to it."""

    def __init__(self, storage: Storage, hub: Hub) -> None:
        self._storage = storage
        self._hub = hub

    async def typing(self, connection: Connection, conversation_id: str, is_typing: bool) -> bool:
        """Pass on that a user types or stopped; ``False`` for one who is not a participant."""
        if not await self.is_participant(connection.user_id, conversation_id):
            return False
        self._hub.typing(connection, conversation_id, is_typing)
        return True

    async def is_participant(self, user_id: str, conversation_id: str) -> bool:
        """Tell whether a user is a participant, by the database and as of now."""
        while True:
            evictions = self._hub.evictions
            found = await self._storage.conversations.is_participant(conversation_id, user_id)
            # Somebody was removed while we waited: what we read may be of before.
            if not found or evictions == self._hub.evictions:
                return found

    async def head_seq(self, conversation_id: str) -> int:
        """Tell the number of the newest message of a conversation; 0 for none."""
        return await self._storage.messages.head_seq(conversation_id)

    async def missed(
        self, connection: Connection, conversation_id: str, above: int, up_to: int, *, echo: bool
    ) -> tuple[MessageNewV2, ...] | None:
        """Read what a connection missed between two numbers; ``None`` if it is too much to send again."""
        found = await self._storage.messages.after_seq(
            conversation_id,
            above,
            MAX_MISSED + 1,
            up_to=up_to,
            not_from=None if echo else connection.user_id,
        )
        owed = [message for message in found if message.connection_id != connection.id]
        if len(owed) > MAX_MISSED:
            return None
        return tuple(widen(message_new(message), stamp_of(message)) for message in owed)

    async def online(self, conversation_id: str) -> list[str]:
        """Tell which participants are online, by their ids."""
        found = await self._storage.conversations.participant_ids(conversation_id)
        return [user_id for user_id in found if self._hub.is_online(user_id)]

    async def remove(self, conversation_id: str, actor_id: str, user_id: str) -> None:
        """Take a participant out; their sockets get nothing that is committed after that (contract 6.3)."""
        await self._storage.conversations.remove_participant(
            conversation_id, actor_id, user_id, on_removed=partial(self._hub.evict, user_id, conversation_id)
        )

    async def mark_read(self, conversation_id: str, user_id: str) -> ReadResult:
        """Note that a user has read all of a conversation, and tell those whose profile knows such news."""
        result = await self._storage.conversations.mark_read(conversation_id, user_id)
        frame = MessageRead(
            conversation_id=conversation_id,
            data=ReadMark(
                user_id=user_id,
                read_at=format_timestamp(result.read_at),
                last_read_message_id=result.last_read_message_id,
            ),
        )
        self._hub.publish(conversation_id, frame, exclude_user=user_id)
        return result


def publish(hub: Hub, batch: Sequence[StoredMessage]) -> None:
    """Announce messages that were just committed, in their order; called by the storage."""
    for message in batch:
        hub.stop_typing(message.sender.id, message.conversation_id)
        hub.publish(
            message.conversation_id,
            message_new(message),
            exclude_user=message.sender.id,
            stamp=stamp_of(message),
        )
