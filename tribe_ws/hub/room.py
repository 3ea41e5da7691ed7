"""One conversation that somebody listens to: its subscribers, and the frames of this loop turn.

Frames are corked: those published in one turn of the event loop leave together, in one write per socket. That
costs nothing when there is one frame and is eight times cheaper when there are many.

Who gets what everybody gets is a member; who is owed something else is a guest, for whom no member pays.
"""

from __future__ import annotations

from tribe_ws.hub.connection import Connection
from tribe_ws.hub.guest import Guest
from tribe_ws.hub.packet import Batch, Packet, make_packet
from tribe_ws.protocol.close_codes import SLOW_CONSUMER
from tribe_ws.protocol.codec import encode
from tribe_ws.protocol.frames import Frame
from tribe_ws.protocol.frames_v2 import Stamp
from tribe_ws.protocol.profiles import Profile, carries, spell


class Outgoing:
    """A frame on its way: written as JSON once, when the first connection that may see it asks.

    Profiles that spell it alike share one packet; only messages, which have a stamp, look different in v2.
    """

    __slots__ = ("_packet", "_packet_v2", "exclude_user", "frame", "published_at", "stamp")

    def __init__(
        self,
        frame: Frame,
        exclude_user: str | None = None,
        published_at: float = 0.0,
        stamp: Stamp | None = None,
    ) -> None:
        self.frame = frame
        self.exclude_user = exclude_user
        self.published_at = published_at
        self.stamp = stamp
        self._packet: Packet | None = None
        self._packet_v2: Packet | None = None

    def is_own_of(self, connection: Connection) -> bool:
        """Tell whether a connection is left out because the frame tells what its own user did."""
        return self.exclude_user is not None and connection.user_id == self.exclude_user

    def packet_for(self, profile: Profile) -> Packet | None:
        """Give the frame as a connection of that profile sees it; ``None`` if it may not see it at all."""
        if profile is Profile.V2 and self.stamp is not None:
            if self._packet_v2 is None and (spelt := spell(profile, self.frame, self.stamp)) is not None:
                self._packet_v2 = packet_of(spelt)
            return self._packet_v2
        if not carries(profile, self.frame):
            return None
        if self._packet is None:
            self._packet = packet_of(self.frame)
        return self._packet


def packet_of(frame: Frame) -> Packet:
    """Write a frame for the wire."""
    return make_packet(encode(frame), str(getattr(frame, "event", "")))


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

    __slots__ = ("_per_user", "conversation_id", "guests", "had", "members", "pending", "published")

    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.members: dict[Connection, None] = {}
        self.guests: dict[Connection, Guest[Outgoing]] = {}
        # Of subscribers in v2: above which number, and up to which, they had everything when they came.
        self.had: dict[Connection, tuple[int, int]] = {}
        self.published = 0
        self.pending: list[Outgoing] = []
        self._per_user: dict[str, int] = {}

    def add(self, connection: Connection) -> None:
        """Let a connection listen; the caller has flushed what was published before."""
        if connection not in self.members:
            self.guests.pop(connection, None)
            self.members[connection] = None
            self._per_user[connection.user_id] = self._per_user.get(connection.user_id, 0) + 1

    def remove(self, connection: Connection) -> None:
        """Let a connection listen no more; the caller has flushed what was published before."""
        self.guests.pop(connection, None)
        self.had.pop(connection, None)
        self._remove_member(connection)

    @property
    def listeners(self) -> tuple[Connection, ...]:
        """All subscribers, whatever they are owed."""
        return (*self.members, *self.guests)

    def leaves_out(self, connection: Connection, outgoing: Outgoing) -> bool:
        """Tell whether a listener does not get a frame because its own user made it."""
        guest = self.guests.get(connection)
        return outgoing.is_own_of(connection) and (guest is None or not guest.choose((outgoing,)))

    def count(self, exclude_user: str | None, connection_id: str | None = None) -> int:
        """Tell how many connections get a message of that user; ``connection_id`` is where it was posted."""
        members = len(self.members) - (self._per_user.get(exclude_user, 0) if exclude_user is not None else 0)
        return members + sum(guest.is_owed(exclude_user, connection_id) for guest in self.guests.values())

    def hold(self, connection: Connection) -> None:
        """Let frames wait for a connection from now on; the caller has flushed what was published before."""
        guest = self.guests.get(connection)
        if guest is None:
            guest = self.guests[connection] = Guest(connection.id, connection.user_id)
        guest.waiting = guest.waiting or []
        self._remove_member(connection)

    def release(self, connection: Connection, covered: tuple[int, int], *, echo: bool) -> Batch | None:
        """Let a connection that was held listen; gives what waited for it beyond what is ``covered``.

        The caller has flushed what was published before.
        """
        guest = self.guests[connection]
        waiting, guest.waiting = guest.waiting or [], None
        guest.floor, guest.echo = covered[1], echo
        self.had[connection] = covered
        owed = _join(guest.choose(waiting), connection.profile, None)
        self._settle(connection, guest)
        return owed

    def covered(self, connection: Connection) -> tuple[int, int] | None:
        """Tell above which number, and up to which, a subscriber got everything; ``None`` for a new one."""
        had = self.had.get(connection)
        return None if had is None else (had[0], max(had[1], self.published))

    def note_published(self, stamp: Stamp) -> None:
        """Take note of the number of a message that is about to go out."""
        self.published = max(self.published, stamp.seq)

    def _settle(self, connection: Connection, guest: Guest[Outgoing]) -> None:
        """Make a guest a member once it is owed what everybody gets."""
        if guest.waiting is None and not guest.echo and self.published >= guest.floor:
            self.add(connection)

    def _remove_member(self, connection: Connection) -> None:
        if connection in self.members:
            del self.members[connection]
            left = self._per_user.pop(connection.user_id) - 1
            if left:
                self._per_user[connection.user_id] = left

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
        counts = shares.count_by_event()
        for connection, guest in tuple(self.guests.items()):
            self._serve(connection, guest, pending, counts)
        return counts

    def _serve(
        self,
        connection: Connection,
        guest: Guest[Outgoing],
        pending: list[Outgoing],
        counts: dict[str, int],
    ) -> None:
        if guest.waiting is not None:
            guest.waiting.extend(pending)
            if 0 < connection.limits.frames < len(guest.waiting):
                # What it misses comes too slowly, or it reads too slowly: it comes to the same.
                connection.close(SLOW_CONSUMER)
            return
        batch = _join(guest.choose(pending), connection.profile, None)
        if batch is not None and connection.offer(batch):
            for packet in batch.packets:
                counts[packet.event] = counts.get(packet.event, 0) + 1
        self._settle(connection, guest)


def _join(pending: list[Outgoing], profile: Profile, author: str | None) -> Batch | None:
    packets = [
        packet
        for outgoing in pending
        if author is None or outgoing.exclude_user != author
        if (packet := outgoing.packet_for(profile)) is not None
    ]
    return Batch(packets) if packets else None
