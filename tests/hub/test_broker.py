"""What every broker owes the hub; the memory broker pays at once."""

from __future__ import annotations

from tribe_ws.hub.broker import Envelope, MemoryBroker
from tribe_ws.protocol.frames import Pong

ENVELOPE = Envelope(Pong(), "c1", "u1")


async def test_what_is_published_is_delivered_at_once_and_in_order() -> None:
    broker = MemoryBroker()
    got: list[Envelope] = []
    broker.start(got.append)
    envelopes = [Envelope(Pong(), str(number)) for number in range(5)]
    for envelope in envelopes:
        broker.publish(envelope)
    assert got == envelopes
    assert broker.name == "memory"
    assert broker.is_healthy


async def test_before_start_and_after_stop_nothing_is_delivered() -> None:
    broker = MemoryBroker()
    got: list[Envelope] = []
    broker.publish(ENVELOPE)
    broker.start(got.append)
    await broker.stop()
    broker.publish(ENVELOPE)
    assert got == []
