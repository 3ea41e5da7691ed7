"""Probes of the heartbeat: ping and pong (contract 3.2; the document's Heartbeat)."""

from __future__ import annotations

from tribe_ws.check.probe import probe
from tribe_ws.check.stage import Stage


@probe(
    "ping.pong",
    "document.heartbeat",
    advice='answer each {"event":"ping"} at once by {"event":"pong"} on the same connection',
)
async def ping_is_answered_by_pong(stage: Stage) -> None:
    """Send two pings, one after the other's answer."""
    socket = await stage.open(stage.first)
    for _ in range(2):
        await socket.say("ping")
        await socket.expect("pong")


@probe("document.client-ping", advice='take {"event":"ping"} with the key event alone')
async def ping_has_one_key(stage: Stage) -> None:
    """Send ping in a spelling of many lines, which is JSON all the same."""
    socket = await stage.open(stage.first)
    await socket.send('{\n  "event": "ping"\n}')
    await socket.expect("pong")


@probe("document.server-pong", advice='send {"event":"pong"} and no other key')
async def pong_has_one_key(stage: Stage) -> None:
    """Look at the keys of a pong."""
    socket = await stage.open(stage.first)
    await socket.say("ping")
    frame = await socket.need("pong")
    stage.same("the keys of pong", list(frame.value), ["event"])
