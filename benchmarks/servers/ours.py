"""Our server as it is served, with a publisher in its loop that hands frames to the hub.

    python -m benchmarks.servers.ours DATABASE

DATABASE is a copy of what ``benchmarks.servers.seed`` made.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys

from benchmarks import wire
from benchmarks.servers.announced import serve_announced
from benchmarks.servers.control import Publish
from benchmarks.servers.seed import settings_for
from tribe_ws.protocol.frames import MessageNew, NewMessage, Sender
from tribe_ws.server.app import TribeApp, create_app
from tribe_ws.server.uvicorn_config import uvicorn_config


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


def main(database: str) -> None:
    """Serve until the parent ends."""
    conversation_id = the_conversation(database)
    settings = settings_for(database)
    app = create_app(settings)
    config = uvicorn_config(settings, app)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve_announced(config, publisher(app, conversation_id)))


if __name__ == "__main__":
    main(sys.argv[1])
