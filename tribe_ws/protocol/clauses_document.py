"""The sentences of the owner's document, one clause each, in the order of the document."""

from __future__ import annotations

from tribe_ws.protocol.clause import clauses

DOCUMENT = (
    *clauses(
        "document, Endpoint Configuration",
        {
            "document.url": "The endpoint is ws://{host}/api/v1/ws?token={JWT_TOKEN}.",
            "document.url-development": "In development it is at ws://localhost:8000.",
            "document.url-production": "In production it is reached by wss://.",
        },
    ),
    *clauses(
        "document, App Configuration",
        {
            "document.base-url": "The app's base URL defaults to http://localhost:8000.",
            "document.api-version": "The API version in every path is v1.",
            "document.scheme": "http:// becomes ws:// and https:// becomes wss://.",
            "document.final-url": "The final URL is {baseUrl}/api/v1/ws?token={accessToken}.",
        },
    ),
    *clauses(
        "document, Features Implemented",
        {
            "document.authentication": "A JWT in the query parameter authenticates the connection.",
            "document.tracking": "Active connections are tracked per user.",
            "document.subscriptions": "Users can subscribe to conversations and unsubscribe from them.",
            "document.real-time": "New messages are broadcast to all subscribers.",
            "document.typing": "Typing start and typing stop are both handled.",
            "document.presence": "Presence online and offline is supported.",
            "document.heartbeat": "A ping event is answered by a pong event.",
        },
    ),
    *clauses(
        "document, Client → Server",
        {
            "document.client-subscribe": "subscribe has the keys event, channel and conversation_id.",
            "document.client-unsubscribe": "unsubscribe has the keys event and conversation_id.",
            "document.client-typing": "typing has the keys event, conversation_id and is_typing.",
            "document.client-presence": "presence has the keys event and status.",
            "document.client-ping": "ping has the key event.",
        },
    ),
    *clauses(
        "document, Server → Client",
        {
            "document.server-connected": "connected has event and message, and the message of the document.",
            "document.server-message-new": "message.new has exactly the documented keys, in their order.",
            "document.server-typing": "typing has exactly the documented keys, in their order.",
            "document.server-subscribed": "subscribed has event and conversation_id.",
            "document.server-pong": "pong has event alone.",
        },
    ),
    *clauses(
        "document, Integration",
        {
            "document.message-saved": "A message sent by REST is saved to the database.",
            "document.message-broadcast": "A message sent by REST is broadcast to all subscribed users.",
            "document.sender-excluded": "The sender is excluded from the broadcast.",
        },
    ),
    *clauses(
        "document, Testing",
        {
            "document.test-flow": "Log in, connect, subscribe, send by REST: the message appears.",
        },
    ),
    *clauses(
        "document, Notes",
        {
            "document.token-required": "The connection requires a valid JWT access token.",
            "document.cleaned-up": "Connections are cleaned up on disconnect.",
            "document.concurrent": "One user may have several connections at a time.",
            "document.verified": "The database says whether the user may subscribe: as a participant.",
        },
    ),
)
