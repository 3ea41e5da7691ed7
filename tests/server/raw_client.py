"""A client without manners: it speaks RFC 6455 byte by byte, and only as well as a test tells it to."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from dataclasses import dataclass
from typing import Self

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class RawFrame:
    opcode: int
    payload: bytes

    @property
    def close(self) -> tuple[int, str]:
        """The code and reason of a close frame."""
        assert self.opcode == CLOSE, self
        return struct.unpack("!H", self.payload[:2])[0], self.payload[2:].decode()


class RawClient:
    """A TCP connection that reads only when asked to: its kernel buffer is small, nothing else buffers."""

    def __init__(self, raw: socket.socket) -> None:
        self.socket = raw
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()

    @classmethod
    async def dial(cls, port: int, *, receive_buffer: int = 4096) -> Self:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
        return cls(raw)

    async def ask_for_upgrade(self, target: str, port: int, *, subprotocol: str = "") -> None:
        offer = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
        await self.write(
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"{offer}Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    async def read_head(self) -> str:
        """Read the status line and headers of an HTTP answer."""
        while b"\r\n\r\n" not in self._buffer:
            await self._fill()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer[:] = rest
        return head.decode()

    async def write(self, data: bytes) -> None:
        await asyncio.wait_for(self._loop.sock_sendall(self.socket, data), PATIENCE)

    async def send(self, opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = True) -> None:
        await self.write(frame(opcode, payload, fin=fin, masked=masked))

    async def read(self) -> RawFrame:
        """Read one unfragmented frame of the server; fails at the end of the connection."""
        header = await self._take(2)
        size = header[1]
        if size == 126:
            (size,) = struct.unpack("!H", await self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self._take(8))
        return RawFrame(header[0] & 0x0F, await self._take(size))

    async def read_until_close(self) -> tuple[list[bytes], tuple[int, str]]:
        """Read to the close frame; gives the texts that came before it, and its code and reason."""
        texts = []
        while (got := await self.read()).opcode != CLOSE:
            if got.opcode == TEXT:
                texts.append(got.payload)
        return texts, got.close

    async def read_to_end(self) -> None:
        """Read until the server has closed its side."""
        try:
            while True:
                await self._fill()
        except (EOFError, ConnectionError):
            return

    async def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._fill()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def _fill(self) -> None:
        data = await asyncio.wait_for(self._loop.sock_recv(self.socket, 65536), PATIENCE)
        if not data:
            raise EOFError
        self._buffer += data

    def close(self) -> None:
        self.socket.close()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = True) -> bytes:
    """Write a frame as a client does, or ought not to."""
    first, mask_bit = (0x80 if fin else 0) | opcode, 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, mask_bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    repeated = mask * (size // 4 + 1)
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(repeated[:size], "big")
    return head + mask + hidden.to_bytes(size, "big")
