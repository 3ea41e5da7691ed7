"""``ControlClient``: drives a local server of ours through its control API (contract 7).

It needs the key of that server, which whoever started it can read: in the record of the running server, in
the ready file, or as ``LocalServer.control_key``. Errors are those of ``RestClient``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tribe_ws.client.calls import CONNECT_TIMEOUT, Answer, RestCalls
from tribe_ws.client.failures import explain_network_error
from tribe_ws.client.http_client import open_http
from tribe_ws.errors import ApiError, ConfigurationError, ProtocolViolation
from tribe_ws.protocol.urls import ServerAddress, parse_address
from tribe_ws.running import running_server

if TYPE_CHECKING:
    import httpx

PREFIX = "/__tribe__"
KEY_HEADER = "X-Tribe-Control"

Raw = dict[str, Any]


class ControlClient:
    """The control API of one server; an asynchronous context manager."""

    def __init__(
        self,
        address: ServerAddress | str,
        key: str,
        *,
        timeout: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.address = parse_address(address) if isinstance(address, str) else address
        self._headers = {KEY_HEADER: key}
        self._transport = transport
        self._calls = RestCalls(self.address, None, timeout=timeout, transport=transport)

    @classmethod
    def of_running(cls, address: ServerAddress | str, *, timeout: float = 10.0) -> Self:
        """Take the key from the record of the server that runs there.

        Raises ``ConfigurationError`` where this user has started none, or one without a control API.
        """
        found = parse_address(address) if isinstance(address, str) else address
        server = running_server(found.port) if found.is_loopback else None
        if server is None:
            raise ConfigurationError(
                f"no server of yours runs at {found.base_url}",
                hint="only a server that you started on this machine can be controlled:  tribe-ws serve",
            )
        if not server.control_key:
            raise ConfigurationError(
                f"the server at {found.base_url} has no control API", hint="tribe-ws serve --control"
            )
        return cls(found, server.control_key, timeout=timeout)

    def __repr__(self) -> str:
        return f"ControlClient({self.address.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections to the server; the client can be used again."""
        await self._calls.close()

    async def info(self) -> Raw:
        """Tell what the server is: version, database, epoch, world, settings, clock, connections."""
        return (await self.call("GET", "/info")).object

    async def connections(self) -> list[Raw]:
        """List the live connections."""
        found = (await self.call("GET", "/connections")).object.get("connections")
        if not isinstance(found, list):
            raise ProtocolViolation("invalid_payload", "the server's answer holds no list of connections")
        return found

    async def reset(self, world: str = "") -> Raw:
        """Begin anew with a world, by default the one the server was started with."""
        return (await self.call("POST", "/reset", {"world": world} if world else {})).object

    async def snapshot(self) -> Raw:
        """Give everything in the server's database as one document; it holds the hashes of passwords."""
        return (await self.call("GET", "/snapshot")).object

    async def restore(self, document: Raw) -> Raw:
        """Replace everything by a snapshot, all of it or nothing; every socket is closed with 1012."""
        return (await self.call("POST", "/snapshot", document)).object

    async def clock(self, *, mode: str | None = None, advance: float | str = 0) -> Raw:
        """Steer the server's time: set its mode, then let it jump; tells the time it is then.

        With neither it only tells the time. ``advance`` is seconds or a text as ``90m``.
        """
        if mode is None and not advance:
            return (await self.call("GET", "/clock")).object
        body: Raw = {"advance": advance} | ({} if mode is None else {"mode": mode})
        return (await self.call("POST", "/clock", body)).object

    async def token(self, user: str, *, ttl: float | str | None = None, broken: str = "") -> str:
        """Make an access token for a user, good or broken in a certain way."""
        body = {"user": user, "broken": broken} | ({} if ttl is None else {"ttl": ttl})
        return str((await self.call("POST", "/tokens", body)).object["token"])

    async def disconnect(
        self, user: str = "", *, connection_id: str = "", code: int = 1012, reason: str = ""
    ) -> list[str]:
        """Close the sockets of a user, or one socket; tells the ids of those that were closed."""
        body = {"user": user, "connection_id": connection_id, "code": code, "reason": reason}
        return list((await self.call("POST", "/disconnect", body)).object["closed"])

    async def faults(self) -> list[Raw]:
        """List the faults in force: ``id``, ``fault`` as it was written, and how many ``hits`` it had."""
        return list((await self.call("GET", "/faults")).object["faults"])

    async def add_faults(self, text: str, *, seed: int | None = None) -> list[Raw]:
        """Put faults in force, separated by ``;``; ``seed`` sets their chance anew."""
        body: Raw = {"faults": text} | ({} if seed is None else {"seed": seed})
        return list((await self.call("POST", "/faults", body)).object["faults"])

    async def clear_faults(self, fault_id: int | None = None) -> int:
        """Take one fault away, or all; tells how many it were."""
        path = "/faults" if fault_id is None else f"/faults/{fault_id}"
        return int((await self.call("DELETE", path)).object["cleared"])

    async def trigger(
        self, event: str, to: str, *, edits: Raw | None = None, sender: str = "", raw: bool = False
    ) -> Raw:
        """Push an event to a user, a conversation or a connection; tells the frame and how many got it."""
        body = {"event": event, "to": to, "set": edits or {}, "from": sender, "raw": raw}
        return (await self.call("POST", "/trigger", body)).object

    async def events(
        self, *, user: str = "", conversation: str = "", event: str = "", after: int | None = None
    ) -> AsyncGenerator[Raw, None]:
        """Yield the journal, record by record, until the server ends; the first says that it is watching.

        Each is one frame of one connection, or one that went to several, with the verdict for each of them.
        """
        import httpx

        query: Raw = {"user": user, "conversation": conversation, "event": event}
        query |= {} if after is None else {"after": after}
        async with open_http(
            self.address,
            timeout=None,
            connect=CONNECT_TIMEOUT,
            headers=self._headers,
            transport=self._transport,
        ) as http:
            try:
                async with http.stream("GET", f"{PREFIX}/events", params=query) as answer:
                    if answer.status_code != 200:
                        raise _refused(answer.status_code, await answer.aread())
                    async for line in answer.aiter_lines():
                        yield json.loads(line)
            except httpx.RequestError as error:
                raise explain_network_error(error, self.address) from None

    async def call(self, method: str, path: str, body: Raw | None = None) -> Answer:
        """Make any call of the control API, by its path below the prefix."""
        return await self._calls.call(
            method, path, body=body, headers=self._headers, with_token=False, prefix=PREFIX
        )


def _refused(status: int, content: bytes) -> ApiError:
    try:
        detail = json.loads(content)["detail"]
    except (ValueError, TypeError, KeyError):
        detail = None
    return ApiError(status, detail, method="GET", path="/events")
