"""The fast way to a client: finished frames written straight to its transport, no ASGI message and no task.

uvicorn is told to use ``TribeSocketProtocol``; the endpoint finds a ``FastTransport`` in the scope's
extensions. While nothing waits, a batch is one ``send`` to the kernel; what the kernel refuses goes to the
transport, and only then are frames counted, because only then does anything wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import MutableMapping
from typing import Any, cast

from websockets.http11 import Request

from tribe_ws.hub.packet import Batch
from tribe_ws.protocol.close_codes import CloseCode
from tribe_ws.server.direct_socket import direct_socket
from tribe_ws.server.handshake import EXTENSION
from tribe_ws.server.socket_protocol import ContractSocketProtocol

_NOTHING = (0, 0)


class FastTransport:
    """Writes frames past ASGI; the close handshake stays with the protocol, whose state it leaves alone."""

    __slots__ = ("_direct", "_ends", "_offset", "_protocol", "_socket", "is_congested", "is_open")

    def __init__(self, protocol: TribeSocketProtocol) -> None:
        self._protocol = protocol
        # Held here, as is ``is_open``: a detour over the protocol costs a tenth of a delivery.
        self._socket = protocol.transport
        self._direct = direct_socket(protocol.transport)
        self.is_open = False
        self._ends: deque[int] | None = None
        self._offset = 0
        self.is_congested = False

    def send(self, batch: Batch) -> bool:
        """Write the whole batch in one piece, unless the socket is not open; tells whether anything waits."""
        if not self.is_open:
            return False
        if self.is_congested:
            self._socket.write(batch.wire)
        else:
            try:
                sent = self._direct.send(batch.wire)
            except OSError:
                # The kernel is full, or the client is gone: the transport finds out which.
                sent = 0
            if sent < batch.size:
                self._socket.write(batch.wire[sent:])
        if not self.is_congested:
            return False
        self._count(batch)
        return True

    def waiting(self) -> tuple[int, int]:
        """Tell how many bytes and frames the kernel has not taken yet."""
        ends = self._ends
        if not self.is_congested or ends is None:
            return _NOTHING
        size = self._socket.get_write_buffer_size()
        taken = self._offset - size
        while ends and ends[0] <= taken:
            ends.popleft()
        return size, len(ends)

    def close(self, close_code: CloseCode) -> None:
        """Send a close frame and end the connection, by force if need be; idempotent."""
        self._protocol.end(close_code)

    def reset(self) -> None:
        """Cut the connection off with a TCP reset."""
        self._protocol.reset()

    def shut(self) -> None:
        """Send nothing any more; to be called before the transport closes its descriptor."""
        self.is_open = False
        self._direct.detach()

    def __del__(self) -> None:
        self._direct.detach()

    def decongest(self) -> None:
        """Take note that everything is with the kernel now."""
        self.is_congested = False
        self._ends = None
        self._offset = 0

    def _count(self, batch: Batch) -> None:
        """Remember where each frame ends in the stream of bytes since the congestion began."""
        if self._ends is None:
            self._ends = deque()
        for packet in batch.packets:
            self._offset += len(packet.wire)
            self._ends.append(self._offset)


class TribeSocketProtocol(ContractSocketProtocol):
    """A socket on uvicorn that offers its transport to the endpoint."""

    fast: FastTransport | None = None

    def handle_connect(self, event: Request) -> None:
        """Read the upgrade request and put the transport where the endpoint looks for it."""
        super().handle_connect(event)
        if not self.close_sent:
            # From the first byte that waits, the transport says so: that is when counting begins.
            self.transport.set_write_buffer_limits(high=0)
            self.fast = FastTransport(self)
            cast("dict[str, object]", self.scope["extensions"])[EXTENSION] = self.fast

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """Send as ASGI has it: the accept opens the transport, a close shuts it."""
        await super().send(message)
        self._tell_transport()

    def data_received(self, data: bytes) -> None:
        """Read frames; a close frame or a breach of the protocol shuts the transport."""
        super().data_received(data)
        self._tell_transport()

    def eof_received(self) -> None:
        """Shut the transport: the loop closes it as soon as this returns."""
        super().eof_received()
        if self.fast is not None:
            self.fast.is_open = False

    def end(self, close_code: CloseCode) -> None:
        """Send a close frame, after which nothing may go out."""
        super().end(close_code)
        self._tell_transport()

    def reset(self) -> None:
        """Cut the connection off, after which nothing may go out."""
        if self.fast is not None:
            self.fast.shut()
        super().reset()

    def connection_lost(self, exc: Exception | None) -> None:
        """Shut the transport for good."""
        if self.fast is not None:
            self.fast.shut()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to count what waits."""
        super().pause_writing()
        if self.fast is not None:
            self.fast.is_congested = True

    def resume_writing(self) -> None:
        """Stop counting: the kernel has taken everything."""
        super().resume_writing()
        if self.fast is not None:
            self.fast.decongest()

    def _tell_transport(self) -> None:
        if self.fast is not None:
            self.fast.is_open = self.is_open
