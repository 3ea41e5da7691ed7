"""``send``: a message by REST, and, if asked, the proof that it arrived."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment

_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h)")
_RATE_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@command(
    examples=(
        'tribe-ws send general "Hello" --as alice',
        'tribe-ws send @bob "Hello" --as alice --wait-delivery bob && echo ok',
        "git log -1 | tribe-ws send general --file -",
        'tribe-ws send general "load" --count 100 --rate 20/s',
    )
)
def send(
    context: typer.Context,
    conversation: Annotated[
        str, typer.Argument(metavar="CONV", help="#name, @user, id or unique beginning of one.")
    ],
    text: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="What to say.")] = None,
    file: Annotated[
        str, typer.Option("--file", metavar="FILE", help="Send what a file holds; - is stdin.")
    ] = "",
    count: Annotated[int, typer.Option("--count", min=1, metavar="N", help="Send it so many times.")] = 1,
    rate: Annotated[
        str, typer.Option("--rate", metavar="N/s", help="At most so many a second (or /m, /h).")
    ] = "",
    wait_delivery: Annotated[
        str, typer.Option("--wait-delivery", metavar="USER", help="Wait until this user has received it.")
    ] = "",
    idempotency_key: Annotated[
        str, typer.Option("--idempotency-key", metavar="KEY", help="Store it once, however often it is sent.")
    ] = "",
) -> Any:
    """Send a message; exit 0 when the server has stored it.

    The message goes in by REST, as the contract has it. Your own connections do not get it.
    """
    from tribe_ws_cli.lifetime import run_to_end

    content = _content(" ".join(text or []), file)
    pause = _pause(rate)
    environment = environment_of(context)
    order = _Order(environment, conversation, content, count, pause, wait_delivery, idempotency_key or None)
    return run_to_end(order.carry_out())


class _Order:
    """One call of the command: what to send where, how often, and who must get it."""

    def __init__(
        self,
        environment: Environment,
        conversation: str,
        content: str,
        count: int,
        pause: float,
        receiver: str,
        key: str | None,
    ) -> None:
        self.environment = environment
        self.conversation = conversation
        self.content = content
        self.count = count
        self.pause = pause
        self.receiver = receiver.removeprefix("@")
        self.key = key

    async def carry_out(self) -> None:
        """Send all of it."""
        from tribe_ws_cli.delivery import Delivery
        from tribe_ws_cli.identity import acting

        async with AsyncExitStack() as stack:
            sender = await stack.enter_async_context(acting(self.environment))
            names = await sender.names()
            conversation_id = names.find(self.conversation)
            delivery = None
            if self.receiver:
                delivery = await stack.enter_async_context(
                    Delivery(self.environment, self.receiver, conversation_id, names)
                )
            started = time.monotonic()
            for number in range(self.count):
                if number and self.pause:
                    await asyncio.sleep(max(0.0, started + number * self.pause - time.monotonic()))
                began = time.monotonic()
                sent = await sender.rest.send_message(conversation_id, self.content, idempotency_key=self.key)
                received = await delivery.wait_for(sent.message.id, began) if delivery else None
                self._tell(sender.username, names.label(conversation_id), sent, received)

    def _tell(self, sender: str, label: str, sent: Any, received: float | None) -> None:
        if self.environment.json:
            self.environment.output.json(_as_json(sent, self.receiver, received))
        elif not self.environment.quiet:
            self.environment.output.line(sentence(sender, label, sent, self.receiver, received))


def sentence(sender: str, label: str, sent: Any, receiver: str, received: float | None) -> str:
    """Say what became of a message, and why the sender sees nothing of it."""
    from tribe_ws.capture.names import short_id
    from tribe_ws.capture.words import latency_text

    head = f"sent {short_id(sent.message.id)}"
    if sent.is_replayed:
        return f"{head} was stored before under this key; nothing new was sent"
    if received is not None:
        return f"{head}, {receiver} received it after {latency_text(received)}"
    echo = f"{sender}'s own connections do not get it (contract)"
    return f"{head} to {label} in {latency_text(sent.seconds)}. {echo}{_others(sent.recipients)}."


def _others(recipients: int | None) -> str:
    if recipients is None:
        return ""
    if recipients == 0:
        return "; nobody else is subscribed now"
    return "; 1 other subscriber does" if recipients == 1 else f"; {recipients} other subscribers do"


def _as_json(sent: Any, receiver: str, received: float | None) -> dict[str, Any]:
    delivered = {"to": receiver, "latency_ms": round(received * 1000, 1)} if received is not None else None
    return {
        "v": 1,
        "message": sent.message.raw,
        "latency_ms": round(sent.seconds * 1000, 1),
        "recipients": sent.recipients,
        "replayed": sent.is_replayed,
        "delivered": delivered,
    }


def _content(text: str, file: str) -> str:
    if text and file:
        raise UsageProblem("TEXT and --file exclude each other", hint="tribe-ws send --help")
    if file == "-":
        return sys.stdin.read().rstrip("\n")
    if file:
        return Path(file).read_text("utf-8").rstrip("\n")
    if not text:
        raise UsageProblem("there is nothing to send", hint='tribe-ws send general "Hello"')
    return text


def _pause(rate: str) -> float:
    """Read a rate and tell the seconds between two messages."""
    if not rate:
        return 0.0
    match = _RATE.fullmatch(rate.replace(" ", ""))
    if match is None or float(match[1]) == 0:
        raise UsageProblem(f"not a rate: {rate!r}", hint="write 5/s, 30/m or 100/h")
    return _RATE_SECONDS[match[2]] / float(match[1])
