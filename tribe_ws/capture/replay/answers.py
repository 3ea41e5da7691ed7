"""What the server of a replay answers to REST calls (contract 5), from what was recorded.

Pure: a request in, a status and a body out. Where a capture lacks something it is answered sensibly: a user
without an address gets one, a conversation without participants those who spoke in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

from tribe_ws.capture.replay.evening import Evening
from tribe_ws.capture.replay.passes import ACCESS_SECONDS, Passes
from tribe_ws.capture.replay.world import Person, Raw, Said, Talk
from tribe_ws.protocol.urls import API_PREFIX, HIDDEN

Thing = TypeVar("Thing")

LONGEST_CONTENT = 5_000
MOST_AT_ONCE = 100
_PUBLIC = ("id", "username", "full_name", "bio", "profile_image_url", "is_verified", "goals_achieved")
_NEUTRAL: Raw = {
    "bio": None, "profile_image_url": None, "cover_image_url": None, "goals_achieved": 0, "photos_shared": 0,
    "email_verified": True, "is_verified": False, "is_active": True, "last_seen_at": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One call: the path with its prefix, the query as it was written, the token without ``Bearer``."""

    method: str
    path: str
    query: str = ""
    token: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; ``said`` is a message that was said by the call, and by whom."""

    status: int
    body: Any
    said: Said | None = None
    sender: str = ""


class Refusal(Exception):
    """A call is answered with an error."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Answers:
    """Answers the calls of one replay; ``is_online`` tells who has a connection now, by username."""

    def __init__(self, evening: Evening, passes: Passes, is_online: Callable[[str], bool]) -> None:
        self._evening = evening
        self._passes = passes
        self._is_online = is_online

    def answer(self, request: Request, now: datetime) -> Reply:
        """Answer one call; never raises."""
        try:
            return self._answer(request, now)
        except Refusal as refusal:
            return Reply(refusal.status, {"detail": refusal.detail})

    def user_of(self, token: str, now: datetime) -> Person | None:
        """Tell whose access token that is."""
        user_id = self._passes.user_id(token, "access", now)
        return None if user_id is None else self._evening.person(user_id)

    def _answer(self, request: Request, now: datetime) -> Reply:
        path = request.path.removeprefix(API_PREFIX)
        steps = tuple(unquote(step) for step in path.strip("/").split("/"))
        query = dict(parse_qsl(request.query))
        match request.method, *steps:
            case ("GET", "health"):
                return Reply(200, {"status": "ok", "version": "replay", "database": "ok", "connections": 0})
            case ("POST", "auth", "login"):
                return Reply(200, self._log_in(_object(request.body), now))
            case ("POST", "auth", "register"):
                names = ", ".join(self._evening.world.viewers)
                raise Refusal(403, f"This is a recorded evening: log in as {names}")
            case ("POST", "auth", "refresh"):
                return Reply(200, self._refresh(_object(request.body), now))
        user = self.user_of(request.token, now)
        if user is None:
            raise Refusal(401, "Could not validate credentials")
        return self._answer_to(user, request, steps, query, now)

    def _answer_to(
        self, user: Person, request: Request, steps: tuple[str, ...], query: dict[str, str], now: datetime
    ) -> Reply:
        match request.method, *steps:
            case ("POST", "auth", "logout"):
                return Reply(200, {"message": "Successfully logged out", "success": True})
            case ("GET", "auth" | "users", "me") | ("PUT", "users", "me"):
                return Reply(200, self._account(user))
            case ("GET", "users", user_id):
                return Reply(200, self._public(_found(self._evening.person(user_id), "User not found")))
            case ("GET", "search", "users"):
                return Reply(200, self._search(query))
            case ("GET", "conversations"):
                return Reply(200, self._conversations(user, query))
            case ("GET", "conversations", conversation_id):
                return Reply(200, self._conversation(self._talk(user, conversation_id), user))
            case ("GET", "conversations", conversation_id, "messages"):
                return Reply(200, self._messages(self._talk(user, conversation_id), query))
            case ("POST", "conversations", conversation_id, "messages"):
                return self._post(user, self._talk(user, conversation_id), _object(request.body), now)
            case ("POST", "conversations", conversation_id, "read"):
                self._talk(user, conversation_id)
                return Reply(200, {"message": "Messages marked as read", "success": True})
        raise Refusal(404, "Not found: a replay answers what an app reads, and takes messages")

    # ── accounts ──────────────────────────────────────────────────────────────────────────────────────────

    def _log_in(self, body: Raw, now: datetime) -> Raw:
        """Let anybody in, with any password; whom the capture does not know, as its first user."""
        said = str(body.get("email") or body.get("username") or "").strip()
        world = self._evening.world
        person = world.person(said.partition("@")[0]) or world.person(next(iter(world.viewers), ""))
        person = _found(person, "The capture knows no user")
        user_id = self._evening.ids.id(person.id)
        return {
            "user": self._account(person),
            "access_token": self._passes.give(user_id, person.username, "access", now),
            "refresh_token": self._passes.give(user_id, person.username, "refresh", now),
            "token_type": "bearer",
            "expires_in": ACCESS_SECONDS,
        }

    def _refresh(self, body: Raw, now: datetime) -> Raw:
        token = body.get("refresh_token")
        user_id = self._passes.user_id(token, "refresh", now) if isinstance(token, str) else None
        person = self._evening.person(user_id) if user_id else None
        if person is None or user_id is None:
            raise Refusal(401, "Invalid refresh token")
        access = self._passes.give(user_id, person.username, "access", now)
        return {"access_token": access, "token_type": "bearer", "expires_in": ACCESS_SECONDS}

    def _account(self, person: Person) -> Raw:
        raw = {key: value for key, value in person.raw.items() if value != HIDDEN and key != "user_id"}
        account = {
            "id": person.id, "email": f"{person.username}@tribe.test", "username": person.username,
            "full_name": person.full_name, **_NEUTRAL, "created_at": "2024-01-01T00:00:00.000Z",
        }  # fmt: skip
        known = {key: raw[key] for key in account if key in raw}
        told: Raw = self._evening.moved({**account, **known, "id": person.id})
        return told

    def _public(self, person: Person) -> Raw:
        account = self._account(person)
        public = {key: account[key] for key in _PUBLIC} | {"photos_shared": account["photos_shared"]}
        online = {"is_online": self._is_online(person.username), "last_seen_at": account["last_seen_at"]}
        return public | online

    def _search(self, query: dict[str, str]) -> list[Raw]:
        words = query.get("q", "").casefold()
        people = self._evening.world.people.values()
        found = [one for one in people if words in f"{one.username} {one.full_name}".casefold()]
        page, limit = _number(query, "page", 1), _number(query, "limit", 20)
        return [self._public(one) for one in found[(page - 1) * limit : page * limit]]

    # ── conversations ─────────────────────────────────────────────────────────────────────────────────────

    def _conversations(self, user: Person, query: dict[str, str]) -> Raw:
        talks = [self._conversation(talk, user) for talk in self._evening.world.talks_of(user)]
        talks.sort(key=lambda one: str(one["last_message_at"] or ""), reverse=True)
        page, limit = _number(query, "page", 1), _number(query, "limit", 20)
        start = (page - 1) * limit
        pagination = _pagination(page, limit, len(talks))
        return {"conversations": talks[start : start + limit], "pagination": pagination}

    def _conversation(self, talk: Talk, viewer: Person) -> Raw:
        said = self._evening.said(talk)
        members = [self._participant(member) for member in talk.members]
        last = self._message(said[-1]) if said else None
        told = {
            "id": talk.id,
            "conversation_type": "group" if talk.is_group else "direct",
            "name": talk.name if talk.is_group else None,
            "image_url": talk.raw.get("image_url"),
            "is_group": bool(talk.is_group),
            "participants": [member for member in members if member],
            "participants_count": len(talk.members),
            "last_message": None,
            "unread_count": sum(one.raw["sender"].get("id") != viewer.id for one in said if one.at),
            "is_muted": False,
            "is_archived": False,
            "last_message_at": None,
            "created_at": talk.raw.get("created_at") or "2024-01-01T00:00:00.000Z",
        }
        moved: Raw = self._evening.moved(told)
        if last is not None:
            keys = ("id", "sender", "content", "message_type", "created_at")
            moved["last_message"] = {key: last[key] for key in keys}
            moved["last_message_at"] = last["created_at"]
            if len(last["content"]) > 100:
                moved["last_message"]["content"] = f"{last['content'][:100]}…"
        return moved

    def _participant(self, member: str) -> Raw:
        person = self._evening.world.people.get(member)
        if person is None:
            return {}
        return {
            "user_id": person.id,
            "username": person.username,
            "full_name": person.full_name,
            "profile_image_url": person.raw.get("profile_image_url"),
            "role": "member",
            "is_online": self._is_online(person.username),
            "last_seen_at": None,
        }

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────

    def _messages(self, talk: Talk, query: dict[str, str]) -> Raw:
        said = self._evening.said(talk)
        limit = _number(query, "limit", 50)
        if "after" in query:
            rest = said[self._place(said, query["after"]) + 1 :]
            chosen, has_more = rest[:limit], len(rest) > limit
        else:
            end = self._place(said, query["before"]) if "before" in query else len(said)
            end = max(0, end - (_number(query, "page", 1) - 1) * limit)
            chosen, has_more = said[max(0, end - limit) : end], end > limit
        messages = [self._message(one) for one in chosen]
        return {
            "messages": messages,
            "has_more": has_more,
            "next_cursor": messages[0]["id"] if messages and has_more else None,
            "pagination": _pagination(_number(query, "page", 1), limit, len(said)),
        }

    def _place(self, said: list[Said], message_id: str) -> int:
        old = self._evening.ids.old(message_id)
        place = next((index for index, one in enumerate(said) if one.id == old), None)
        if place is None:
            raise Refusal(404, "Message not found")
        return place

    def _message(self, message: Said) -> Raw:
        raw = {key: value for key, value in message.raw.items() if key not in {"seq", "client_message_id"}}
        defaults: Raw = {
            "message_type": "text", "media_url": None, "media_thumbnail_url": None, "metadata": None,
            "reply_to_message": None, "is_edited": False, "is_deleted": False, "read_by": [],
        }  # fmt: skip
        return {**self._evening.told({**defaults, **raw}), "time_ago": "just now"}

    def _post(self, user: Person, talk: Talk, body: Raw, now: datetime) -> Reply:
        content, kind = body.get("content"), body.get("message_type") or "text"
        if not isinstance(content, str) or not content.strip() or len(content) > LONGEST_CONTENT:
            raise Refusal(422, "Validation error")
        said = self._evening.post(user, talk, content, str(kind), now)
        return Reply(201, self._message(said), said, user.username)

    def _talk(self, user: Person, conversation_id: str) -> Talk:
        talk = _found(self._evening.talk(conversation_id), "Conversation not found")
        if user.id not in talk.members:
            raise Refusal(403, "Access denied")
        return talk


def _found(thing: Thing | None, detail: str) -> Thing:
    if thing is None:
        raise Refusal(404, detail)
    return thing


def _object(body: bytes) -> Raw:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(422, "Validation error") from None
    if not isinstance(value, dict):
        raise Refusal(422, "Validation error")
    return value


def _number(query: dict[str, str], key: str, default: int) -> int:
    text = query.get(key, "")
    return max(1, min(int(text), MOST_AT_ONCE if key == "limit" else 10**6)) if text.isdecimal() else default


def _pagination(page: int, limit: int, total: int) -> Raw:
    pages = -(-total // limit)
    return {"page": page, "limit": limit, "total": total, "total_pages": pages, "has_more": page < pages}
