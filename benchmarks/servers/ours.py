"""Our server as it is served, with a publisher in its loop that hands frames to the hub.

    python -m benchmarks.servers.ours DATABASE

DATABASE is a copy of what ``benchmarks.servers.seed`` made.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import ExitStack

from benchmarks import wire
from benchmarks.servers.child import announce, open_control, when_parent_ends
from benchmarks.servers.control import Publish
from benchmarks.servers.seed import settings_for
from tribe_ws.listening import listen
from tribe_ws.protocol.frames import MessageNew, NewMessage, Sender
from tribe_ws.server.app import TribeApp, create_app
from tribe_ws.server.runner import Runner
from tribe_ws.server.serve import loop_factory, start_left_uncollected


def publisher(app: TribeApp, conversation_id: str) -> Publish:
    """Make what publishes a message as the commit of a send does."""
    sender = Sender(id=wire.SENDER, **wire.SENDER_NAMES)

    def publish(stamp: int, size: int) -> None:
        message = NewMessage(
            id=wire.MESSAGE,
            conversation_id=conversation_id,
            sender=sender,
            content=wire.content_of(stamp, size),
            message_type="text",
            created_at=wire.CREATED_AT,
        )
        frame = MessageNew(conversation_id=conversation_id, data=message)
        app.state.services.hub.publish(conversation_id, frame, exclude_user=wire.SENDER)

    return publish


def the_conversation(database: str) -> str:
    """Tell the id of the only conversation there is."""
    connection = sqlite3.connect(database)
    try:
        (conversation_id,) = connection.execute("SELECT id FROM conversations").fetchone()
    finally:
        connection.close()
    return str(conversation_id)


async def serve(database: str) -> None:
    """Serve until the parent ends."""
    app = create_app(settings_for(database))
    control = await open_control(publisher(app, the_conversation(database)))
    listener = listen("127.0.0.1", 0)
    runner = Runner(app)
    when_parent_ends(runner.stop)
    with ExitStack() as stack:

        def ready() -> None:
            stack.enter_context(start_left_uncollected())
            announce(listener, control)

        await runner.run_on(listener, ready)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as loop:
        loop.run(serve(sys.argv[1]))
