"""Probes of sending messages by REST: what is taken, what is kept, and what a repeat does (contract 5)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from tribe_ws.check.frames import message
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.rest_answers import granted, sequence
from tribe_ws.check.stage import Stage
from tribe_ws.check.wire import Answer
from tribe_ws.protocol.models import MAX_CONTENT

_TWO = (Need.SECOND, Need.WRITE)
_TO_THE_LETTER = (
    " spaces kept \n",
    "😀👩‍👩‍👧 é e\u0301",
    "\x1b]0;title\x07\x9b31m",
    "<script>alert(1)</script>&amp;",
    "a\u202eb\u2066c\u200b",
    "'; drop table messages; --",
    'back\\slash "quoted" \u2028',
)
_STEADY = ("id", "conversation_id", "content", "message_type", "created_at")


@probe("messages.created", needs=_TWO, advice="answer 201 with the message once it is committed, not before")
async def sending_answers_201_after_the_commit(stage: Stage) -> None:
    """Send a message, and read it at once as somebody else."""
    room, content = await stage.room(), stage.words()
    said = granted(stage, await _post(stage, room, {"content": content}), 201, of="sending")
    stage.same("conversation_id", said.get("conversation_id"), room)
    stage.same("content", said.get("content"), content)
    sender = said.get("sender")
    stage.same("the sender", sender.get("id") if isinstance(sender, dict) else None, stage.first.id)
    stage.check(said.get("id") in await _ids(stage, room), "the message is not stored when 201 has come")


@probe(
    "messages.length", needs=_TWO, advice="take 1 to 5,000 characters that are not only white space; else 422"
)
async def content_has_its_length(stage: Stage) -> None:
    """Send messages that are empty, blank, as long as may be, and longer."""
    room = await stage.room()
    for name, content in (
        ("no character", ""),
        ("white space alone", " \n\t "),
        ("5,001 characters", "x" * (MAX_CONTENT + 1)),
    ):
        answer = await _post(stage, room, {"content": content})
        stage.check(answer.status == 422, f"{name}: wanted HTTP 422, got {answer}")
    answer = await _post(stage, room, {"content": "😀" * MAX_CONTENT})
    stage.check(answer.status == 201, f"5,000 characters: wanted HTTP 201, got {answer}")


@probe("messages.to-the-letter", needs=_TWO, advice="store content as it came; escape it where it is shown")
async def content_is_kept_to_the_letter(stage: Stage) -> None:
    """Send spaces, emoji, controls, markup and quotes, and read them again."""
    room = await stage.room()
    for content in _TO_THE_LETTER:
        answer = await _post(stage, room, {"content": content})
        stage.check(answer.status in {200, 201}, f"{content!r} is not taken: {answer}")
    answer = await stage.call(stage.second, "GET", f"/conversations/{room}/messages")
    stage.require(answer.status == 200, f"messages could not be read: {answer}")
    got = {one.get("content") for one in sequence(answer.object, "messages")}
    missing = [content for content in _TO_THE_LETTER if content not in got]
    stage.check(not missing, f"not kept to the letter: {missing!r}")


@probe("messages.unstorable", needs=_TWO, advice="answer 422 to a lone surrogate and to a NUL in content")
async def what_cannot_be_stored_gets_422(stage: Stage) -> None:
    """Send half a character, and a NUL."""
    room = await stage.room()
    for name, content in (("a lone surrogate", '"a\\ud800b"'), ("a NUL", '"a\\u0000b"')):
        raw = b'{"content":' + content.encode() + b"}"
        answer = await stage.call(stage.first, "POST", f"/conversations/{room}/messages", content=raw)
        stage.check(answer.status == 422, f"{name}: wanted HTTP 422, got {answer}")


@probe(
    "messages.type",
    needs=_TWO,
    advice="take text, image, video, audio and file, and answer 422 to other types",
)
async def a_message_has_one_of_five_types(stage: Stage) -> None:
    """Send each type, none, and one that is none."""
    room = await stage.room()
    for kind in ("text", "image", "video", "audio", "file"):
        answer = await _post(stage, room, {"content": stage.words(), "message_type": kind})
        said = granted(stage, answer, 201, of=f"a message of the type {kind}")
        stage.same("message_type", said.get("message_type"), kind)
    said = granted(stage, await _post(stage, room, {"content": stage.words()}), 201, of="no type")
    stage.same("message_type where none is given", said.get("message_type"), "text")
    answer = await _post(stage, room, {"content": stage.words(), "message_type": "poll"})
    stage.check(answer.status == 422, f"the type poll: wanted HTTP 422, got {answer}")


@probe("messages.reply", needs=_TWO, advice="show the message that a reply answers as reply_to_message")
async def a_reply_shows_what_it_answers(stage: Stage) -> None:
    """Answer a message, and read the reply."""
    room = await stage.room()
    first = await stage.send(stage.second, room)
    body = {"content": stage.words(), "reply_to_message_id": first.get("id")}
    said = granted(stage, await _post(stage, room, body), 201, of="a reply")
    answered = said.get("reply_to_message")
    stage.check(isinstance(answered, dict), f"reply_to_message is {answered!r}")
    stage.same("the message that is answered", answered.get("id") if answered else None, first.get("id"))


@probe(
    "messages.replayed",
    needs=_TWO,
    advice="answer a repeat with 200, the same body and Idempotency-Replayed: true; broadcast nothing",
)
async def a_repeat_is_answered_alike_and_sent_once(stage: Stage) -> None:
    """Send the same message twice under one Idempotency-Key, while somebody listens."""
    room, content = await stage.room(), stage.words()
    socket = await stage.open(stage.second)
    await socket.subscribe(room)
    headers = {"Idempotency-Key": uuid4().hex}
    first = await _post(stage, room, {"content": content}, headers)
    stage.require(first.status == 201, f"a message with an Idempotency-Key was to be taken: {first}")
    await socket.hear(message(content))
    await socket.settle(message(content))
    again = await _post(stage, room, {"content": content}, headers)
    said = granted(stage, again, 200, of="the repeat")
    stage.same("the repeat's message", _steady(said), _steady(first.object))
    replayed = again.headers.get("idempotency-replayed", "")
    stage.same("the header Idempotency-Replayed", replayed.lower(), "true")
    await socket.silence(message(content), what="no second message.new for a repeat")


@probe(
    "messages.client-id", needs=_TWO, advice="take client_message_id as a key, per sender and conversation"
)
async def a_client_message_id_is_a_key(stage: Stage) -> None:
    """Repeat a message by its client_message_id, then use that in another place and as another person."""
    room, other = await stage.room(), await stage.room()
    body = {"content": stage.words(), "client_message_id": uuid4().hex}
    first = granted(stage, await _post(stage, room, body), 201, of="a message with client_message_id")
    again = granted(stage, await _post(stage, room, body), 200, of="its repeat")
    stage.same("the id of the repeat", again.get("id"), first.get("id"))
    elsewhere = await _post(stage, other, body)
    stage.check(elsewhere.status == 201, f"in another conversation: wanted HTTP 201, got {elsewhere}")
    path = f"/conversations/{room}/messages"
    another = await stage.call(stage.second, "POST", path, body=body)
    stage.check(another.status == 201, f"by another sender: wanted HTTP 201, got {another}")


@probe("messages.key-conflict", needs=_TWO, advice="answer 409 to a key that was used with another body")
async def a_key_belongs_to_one_body(stage: Stage) -> None:
    """Use one key for two different messages."""
    room, headers = await stage.room(), {"Idempotency-Key": uuid4().hex}
    first = await _post(stage, room, {"content": stage.words()}, headers)
    stage.require(first.status == 201, f"a message with an Idempotency-Key was to be taken: {first}")
    answer = await _post(stage, room, {"content": stage.words()}, headers)
    stage.check(answer.status == 409, f"the same key, another body: wanted HTTP 409, got {answer}")


async def _post(
    stage: Stage, room: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Answer:
    # Escaped, so that what goes over the wire is what is meant, whatever reads it.
    content = json.dumps(body).encode()
    path = f"/conversations/{room}/messages"
    return await stage.call(stage.first, "POST", path, content=content, headers=headers)


async def _ids(stage: Stage, room: str) -> list[Any]:
    answer = await stage.call(stage.second, "GET", f"/conversations/{room}/messages")
    stage.require(answer.status == 200, f"messages could not be read: {answer}")
    return [one.get("id") for one in sequence(answer.object, "messages")]


def _steady(message_out: dict[str, Any]) -> dict[str, Any]:
    """Give what of a message does not change with the time or with who is online."""
    return {key: message_out.get(key) for key in _STEADY}
