"""What a mutation is: one way to break our server, and the clauses that no longer hold then.

A mutation patches the classes that a server is put together from, before one is started. Its chance is
seeded, so that a server is broken in the same way at each run.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from tribe_ws.hub import room
from tribe_ws.protocol.clause import Level
from tribe_ws.protocol.codec import encode
from tribe_ws.server.app import TribeApp

SEED = 4
Break = Callable[["Tools"], None]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to break the server; ``broken`` are the clauses that a check must name, and no others."""

    name: str
    broken: frozenset[str]
    apply: Break
    level: Level
    settings: dict[str, Any]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let servers that are started within the block be broken."""
        with pytest.MonkeyPatch.context() as patch:
            self.apply(Tools(patch, random.Random(f"{SEED} {self.name}")))
            yield


@dataclass(slots=True)
class RestAnswer:
    """An answer of the server on its way out, to be changed in place."""

    method: str
    path: str
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    content: bytes = b""

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @body.setter
    def body(self, value: Any) -> None:
        self.content = json.dumps(value).encode()


class Tools:
    """What a mutation breaks a server with."""

    def __init__(self, patch: pytest.MonkeyPatch, chance: random.Random) -> None:
        self.replace = patch.setattr
        self.put = patch.setitem
        self.chance = chance

    def frames(self, event: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """Change every frame of that event before it is written; the change may also happen in place."""
        inner = vars(room)["encode"]

        def encode_broken(frame: Any) -> Any:
            if frame.event != event:
                return inner(frame)
            value = json.loads(encode(frame))
            changed = change(value)
            text = json.dumps(
                value if changed is None else changed, ensure_ascii=False, separators=(",", ":")
            )
            return text.encode()

        self.replace(room, "encode", encode_broken)

    def answers(
        self, change: Callable[[RestAnswer], None], path: str = ".*", method: str = "", status: int = 0
    ) -> None:
        """Change every REST answer of that kind."""
        answer_whole = TribeApp._answer

        async def answer_broken(app: TribeApp, scope: Scope, receive: Receive, send: Send) -> None:
            answer = RestAnswer(scope["method"], scope["path"])

            async def keep(message: Message) -> None:
                if message["type"] == "http.response.start":
                    answer.status, answer.headers = message["status"], list(message["headers"])
                else:
                    answer.content += message.get("body", b"")

            await answer_whole(app, scope, receive, keep)
            is_meant = re.search(path, answer.path) and method in ("", answer.method)
            if is_meant and status in (0, answer.status):
                change(answer)
            kept = [(name, value) for name, value in answer.headers if name.lower() != b"content-length"]
            length = (b"content-length", str(len(answer.content)).encode())
            start = {"type": "http.response.start", "status": answer.status, "headers": [*kept, length]}
            await send(start)
            await send({"type": "http.response.body", "body": answer.content})

        self.replace(TribeApp, "_answer", answer_broken)


MUTATIONS: dict[str, Mutation] = {}


def mutation(
    name: str, *broken: str, level: Level = "documented", **settings: Any
) -> Callable[[Break], Break]:
    """Register a function as the way to break the server so that these clauses do not hold any more."""

    def register(apply: Break) -> Break:
        assert name not in MUTATIONS, name
        MUTATIONS[name] = Mutation(name, frozenset(broken), apply, level, settings)
        return apply

    return register


def swap(value: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Give the same keys in another order."""
    keys = list(value)
    first, second = sorted(chance.sample(range(len(keys)), 2))
    keys[first], keys[second] = keys[second], keys[first]
    return {key: value[key] for key in keys}
