"""One conversation that somebody listens to: its subscribers, and the frames of this loop turn.

Frames are corked: those published in one turn of the event loop leave together, in one write per socket. That
costs nothing when there is one frame and is eight times cheaper when there are many.
"""

from __future__ import annotations

from tribe_ws.hub.connection import Connection
from tribe_ws.hub.packet import Batch, Packet, make_packet
from tribe_ws.protocol.codec import encode
from tribe_ws.protocol.frames import Frame
from tribe_ws.protocol.profiles import Profile, carries


class Outgoing:
    """A frame on its way: written as JSON once, when the first connection that may see it asks.

    The profiles of today spell a frame alike and differ only in which frames they carry: one packet will do.
    """

    __slots__ = ("_packet", "exclude_user", "frame", "published_at")

    def __init__(self, frame: Frame, exclude_user: str | None = None, published_at: float = 0.0) -> None:
        self.frame = frame
        self.exclude_user = exclude_user
        self.published_at = published_at
        self._packet: Packet | None = None

    def is_own_of(self, connection: Connection) -> bool:
        """Tell whether a connection is left out because the frame tells what its own user did."""
        return self.exclude_user is not None and connection.user_id == self.exclude_user

    def packet_for(self, profile: Profile) -> Packet | None:
        """Give the frame as a connection of that profile sees it; ``None`` if it may not see it at all."""
        if not carries(profile, self.frame):
            return None
        if self._packet is None:
            self._packet = make_packet(encode(self.frame), str(getattr(self.frame, "event", "")))
        return self._packet


class _Share:
    """What one group of connections gets of a batch, and how many of them got it."""

    __slots__ = ("batch", "reached")

    def __init__(self, batch: Batch | None) -> None:
        self.batch = batch
        self.reached = 0


_NOTHING = _Share(None)


class _Shares:
    """The shares of one batch, each joined when its first connection comes."""

    __slots__ = ("_pending", "_shares")

    def __init__(self, pending: list[Outgoing]) -> None:
        self._pending = pending
        self._shares: dict[tuple[Profile, str | None], _Share] = {}

    def of(self, profile: Profile, author: str | None) -> _Share:
        """Give the share of the connections of that profile: the common one, or that of one author."""
        share = self._shares.get((profile, author))
        if share is None:
            share = self._shares[profile, author] = _Share(_join(self._pending, profile, author))
        return share

    def count_by_event(self) -> dict[str, int]:
        """Tell how many connections got each event."""
        counts: dict[str, int] = {}
        for share in self._shares.values():
            for packet in share.batch.packets if share.batch is not None else ():
                counts[packet.event] = counts.get(packet.event, 0) + share.reached
        return counts


class Room:
    """The subscribers of one conversation and what waits to go out to them at the end of this loop turn."""

    __slots__ = ("_per_user", "conversation_id", "members", "pending")

    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.members: dict[Connection, None] = {}
        self.pending: list[Outgoing] = []
        self._per_user: dict[str, int] = {}

    def add(self, connection: Connection) -> None:
        """Let a connection listen; the caller has flushed what was published before."""
        if connection not in self.members:
            self.members[connection] = None
            self._per_user[connection.user_id] = self._per_user.get(connection.user_id, 0) + 1

    def remove(self, connection: Connection) -> None:
        """Let a connection listen no more; the caller has flushed what was published before."""
        if connection in self.members:
            del self.members[connection]
            left = self._per_user.pop(connection.user_id) - 1
            if left:
                self._per_user[connection.user_id] = left

    def count(self, exclude_user: str | None) -> int:
        """Tell how many connections listen, those of one user left out."""
        return len(self.members) - (self._per_user.get(exclude_user, 0) if exclude_user is not None else 0)

    def fan_out(self) -> dict[str, int]:
        """Send everything pending to everybody it is for; tells how many connections got each event.

        The batch is joined once for everybody; only the connections of users who have a frame of their own in
        it get a join of their own.
        """
        pending, self.pending = self.pending, []
        authors = {outgoing.exclude_user for outgoing in pending} & self._per_user.keys()
        shares = _Shares(pending)
        profile, common = None, _NOTHING
        for connection in tuple(self.members):
            # What a turn of this loop costs is what a delivery costs, besides the write itself.
            if connection.profile is not profile:
                profile = connection.profile
                common = shares.of(profile, None)
            share = common
            if authors and connection.user_id in authors:
                share = shares.of(connection.profile, connection.user_id)
            if share.batch is not None and connection.offer(share.batch):
                share.reached += 1
        return shares.count_by_event()


def _join(pending: list[Outgoing], profile: Profile, author: str | None) -> Batch | None:
    packets = [
        packet
        for outgoing in pending
        if author is None or outgoing.exclude_user != author
        if (packet := outgoing.packet_for(profile)) is not None
    ]
    return Batch(packets) if packets else None
