"""The clauses of contract 5: the REST calls."""

from __future__ import annotations

from tribe_ws.protocol.clause import clauses

REST = (
    *clauses(
        "contract 5, errors",
        {
            "rest.detail": "An error's body is {detail}.",
            "rest.validation": "A 422 is {detail: Validation error, errors: [{field, message}]}.",
            "rest.unauthorised": "A call without a good token gets 401 with WWW-Authenticate: Bearer.",
            "rest.hostile-json": "JSON made to break a parser gets 422, never 500.",
            "rest.host-foreign": "A server bound to loopback answers a foreign Host with 421.",
        },
    ),
    *clauses(
        "contract 5, accounts",
        {
            "register.created": "register answers 201 with user, both tokens, token_type and expires_in.",
            "register.email-taken": "A taken e-mail address gets 400 Email already registered.",
            "register.username-taken": "A taken username gets 400 Username already taken.",
            "register.weak-password": "A weak password, or one not confirmed, gets 422.",
            "register.username": "A username is [a-zA-Z0-9_]{3,50}, or gets 422.",
            "login.answer": "login answers 200 with what register answers.",
            "login.username": "login takes a username in place of the e-mail address.",
            "login.wrong": "A wrong login gets 401 Incorrect email or password.",
            "login.same-time": "It gets that, and in the same time, whether or not the user exists.",
            "login.disabled": "A disabled account gets 403.",
            "login.throttled": "After 10 failures a minute login gets 429 with Retry-After.",
            "refresh.answer": "refresh answers 200 with access_token, token_type and expires_in.",
            "refresh.refused": "A refresh token that is bad, revoked or of the wrong type gets 401.",
            "logout.revokes": "logout answers {message, success: true} and revokes the refresh token.",
            "me.shape": "auth/me and users/me answer the user with exactly its keys, in their order.",
            "me.update": "PUT users/me changes what was sent and nothing else.",
            "user.public": "users/{id} answers the public part with exactly its keys, in their order.",
            "search.users": "search/users answers a list of public users, page by page.",
        },
    ),
    *clauses(
        "contract 5, conversations",
        {
            "conversations.list": "conversations answers a page of them and its pagination.",
            "conversations.newest-first": "The conversation with the newest activity comes first.",
            "conversations.shape": "A conversation has exactly its keys, in their order.",
            "conversations.preview": "last_message shows at most 100 characters, then ….",
            "conversations.create": "Creating one answers 201; its creator is admin of a group.",
            "conversations.direct-once": "An existing direct conversation is returned with 200.",
            "conversations.denied": "One that is not one's own gets 403 Access denied.",
            "conversations.unknown": "An unknown one gets 404 Conversation not found.",
            "participants.add": "An admin adds participants to a group and gets 200.",
            "participants.remove": "An admin removes a participant and gets 204.",
            "participants.leave": "A participant may remove oneself.",
            "participants.admins-only": "Others get 403.",
            "participants.at-once": "A removed user's subscriptions end at once.",
        },
    ),
    *clauses(
        "contract 5, messages",
        {
            "messages.page": "messages answers messages, has_more, next_cursor and pagination.",
            "messages.order": "The newest page comes first; inside a page messages run oldest to newest.",
            "messages.before": "before gives the messages before one.",
            "messages.after": "after runs ascending from the message after one.",
            "messages.shape": "A message has exactly its keys, in their order.",
            "messages.created": "Sending answers 201 with the message, after the commit.",
            "messages.length": "content has 1 to 5,000 characters, not only white space, or gets 422.",
            "messages.to-the-letter": "content is kept to the letter.",
            "messages.unstorable": "A lone surrogate or a NUL gets 422.",
            "messages.type": "message_type is text, image, video, audio or file, or gets 422.",
            "messages.reply": "reply_to_message_id shows as reply_to_message.",
            "messages.replayed": "A repeated key gets 200, the same body, a header, and no broadcast.",
            "messages.client-id": "client_message_id works as a key, per sender and conversation.",
            "messages.key-conflict": "The same key with another body gets 409.",
            "messages.denied": "No participant: 403; unknown conversation: 404.",
            "messages.read": "read answers {message, success}; unread becomes 0.",
        },
    ),
    *clauses(
        "contract 5, the rest",
        {
            "health.answer": "health answers its five keys without a token.",
            "health.down": "health answers 503 when the database does not answer.",
            "metrics.answer": "metrics answers without a token.",
            "docs.openapi": "openapi.json is OpenAPI 3.1 made from the code's models.",
            "docs.asyncapi": "asyncapi.json is AsyncAPI 3.0 made from the code's models.",
            "docs.offline": "Both document pages work offline.",
        },
    ),
)
