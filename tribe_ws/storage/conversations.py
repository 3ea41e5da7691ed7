"""Conversations: who takes part, what each participant sees of them, and how far each has read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select

from tribe_ws.clock import Clock
from tribe_ws.storage import membership, overview
from tribe_ws.storage.database import Database
from tribe_ws.storage.milliseconds import to_milliseconds
from tribe_ws.storage.records import Conversation, ConversationType, Page, ReadResult
from tribe_ws.storage.tables import participants


class ConversationStore:
    """The conversations of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self,
        creator_id: str,
        conversation_type: ConversationType,
        participant_ids: Sequence[str],
        name: str | None = None,
    ) -> tuple[Conversation, bool]:
        """Start a conversation, and tell whether it is new: two people have one direct conversation.

        The creator is admin of a group. Raises ``NotFound`` for an unknown participant, and ``ConflictError``
        (field ``participant_ids``) for a direct conversation that is not between two different people.
        """
        now_ms, new_conversation_id = self._now_ms(), self._clock.new_id("conversation")
        return await self._database.write(
            lambda connection: membership.create(
                connection, creator_id, conversation_type, participant_ids, name, new_conversation_id, now_ms
            )
        )

    async def get(self, conversation_id: str, viewer_id: str) -> Conversation:
        """Read a conversation as one of its participants; raises ``NotFound`` or ``NotAllowed``."""
        return await self._database.read(
            lambda connection: overview.read_conversation(connection, conversation_id, viewer_id)
        )

    async def list(self, viewer_id: str, offset: int, limit: int) -> Page[Conversation]:
        """List the conversations of a user, newest activity first."""
        return await self._database.read(
            lambda connection: overview.list_conversations(connection, viewer_id, offset, limit)
        )

    async def is_participant(self, conversation_id: str, user_id: str) -> bool:
        """Tell whether a user takes part; false for a conversation that does not exist."""
        return await self._database.look_up(
            lambda connection: membership.role_of(connection, conversation_id, user_id) is not None
        )

    async def participant_ids(self, conversation_id: str) -> tuple[str, ...]:
        """List the ids of all who take part, in the order of the ids."""
        return await self._database.look_up(
            lambda connection: tuple(
                connection.execute(
                    select(participants.c.user_id)
                    .where(participants.c.conversation_id == conversation_id)
                    .order_by(participants.c.user_id)
                ).scalars()
            )
        )

    async def add_participants(
        self, conversation_id: str, actor_id: str, user_ids: Sequence[str]
    ) -> Conversation:
        """Take users into a group; those who are in it already stay as they are.

        Raises ``NotFound`` (conversation or user) and ``NotAllowed`` (the actor is no admin, or it is no
        group).
        """
        now_ms = self._now_ms()
        return await self._database.write(
            lambda connection: membership.add(connection, conversation_id, actor_id, user_ids, now_ms)
        )

    async def remove_participant(
        self,
        conversation_id: str,
        actor_id: str,
        user_id: str,
        *,
        on_removed: Callable[[], None] | None = None,
    ) -> None:
        """Take a user out of a group: admins may, and everybody may leave.

        A group that loses its last admin gets its longest-standing participant as the next one.
        ``on_removed`` is called after the commit and before any message that was committed later is
        announced, also if nobody waits for this call any more. Raises ``NotFound`` and ``NotAllowed``.
        """
        await self._database.write(
            lambda connection: membership.remove(connection, conversation_id, actor_id, user_id), on_removed
        )

    async def mark_read(self, conversation_id: str, user_id: str) -> ReadResult:
        """Note that a participant has read everything there is; raises ``NotFound`` or ``NotAllowed``."""
        now_ms = self._now_ms()
        return await self._database.write(
            lambda connection: membership.mark_read(connection, conversation_id, user_id, now_ms)
        )

    def _now_ms(self) -> int:
        return to_milliseconds(self._clock.now())
