"""Ways to break REST and the tokens."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import jwt

from tests.check.breaking import RestAnswer, Tools, mutation
from tribe_ws.protocol.models import MessageOut
from tribe_ws.server import handshake, websocket
from tribe_ws.server.accounts import Accounts
from tribe_ws.server.tokens import TokenIssuer, TokenKind, TokenRefused
from tribe_ws.storage.conversations import ConversationStore
from tribe_ws.storage.messages import MessageStore

# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────


@mutation("register-answers-200", "register.created")
def _register_answers_200(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.status = 200

    tools.answers(change, path="/auth/register$", status=201)


@mutation("no-challenge", "rest.unauthorised")
def _no_challenge(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.headers = [one for one in answer.headers if one[0].lower() != b"www-authenticate"]

    tools.answers(change, status=401)


@mutation("errors-of-another-shape", "rest.validation")
def _errors_of_another_shape(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.body = {"detail": [{"loc": ["body"], "msg": "bad", "type": "value_error"}]}

    tools.answers(change, status=422)


@mutation("no-detail", "rest.detail")
def _no_detail(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        if answer.status >= 400 and answer.status != 422 and answer.content:
            answer.body = {"error": answer.body["detail"]}

    tools.answers(change)


@mutation("me-with-another-key", "me.shape")
def _me_with_another_key(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.body = answer.body | {"phone": None}

    tools.answers(change, path="/(auth|users)/me$", method="GET", status=200)


@mutation("public-user-shows-email", "user.public")
def _public_user_shows_email(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.body = answer.body | {"email": "somebody@tribe.test"}

    tools.answers(change, path="/users/[0-9a-f-]{36}$", status=200)


@mutation("unknown-and-denied-alike", "conversations.denied")
def _unknown_and_denied_alike(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.status, answer.body = 404, {"detail": "Conversation not found"}

    tools.answers(change, path="/conversations/[0-9a-f-]{36}$", method="GET", status=403)


@mutation("health-says-less", "health.answer")
def _health_says_less(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.body = {"status": answer.body["status"]}

    tools.answers(change, path="^/health$")


# ── Messages and conversations ──────────────────────────────────────────────────────────────────────────


@mutation("before-includes-the-message", "messages.before")
def _before_includes_the_message(tools: Tools) -> None:
    page: Any = MessageStore.page

    async def page_shifted(store: MessageStore, *place: Any) -> Any:
        found = await page(store, *place)
        if place[4] is None:
            return found
        newest = await page(store, *place[:3], 1, None, None)
        return replace(found, messages=(*found.messages[1:], newest.messages[-1]))

    tools.replace(MessageStore, "page", page_shifted)


@mutation("after-runs-downwards", "messages.after")
def _after_runs_downwards(tools: Tools) -> None:
    page: Any = MessageStore.page

    async def page_reversed(store: MessageStore, *place: Any) -> Any:
        found = await page(store, *place)
        return found if place[5] is None else replace(found, messages=found.messages[::-1])

    tools.replace(MessageStore, "page", page_reversed)


@mutation("pages-run-forwards", "messages.order")
def _pages_newest_first(tools: Tools) -> None:
    page: Any = MessageStore.page

    async def page_reversed(store: MessageStore, *place: Any) -> Any:
        found = await page(store, *place)
        is_plain = place[4] is None and place[5] is None
        return replace(found, messages=found.messages[::-1]) if is_plain else found

    tools.replace(MessageStore, "page", page_reversed)


@mutation("last-message-stays", "conversations.preview")
def _last_message_stays(tools: Tools) -> None:
    get = ConversationStore.get
    first: dict[str, Any] = {}

    async def get_with_first(store: ConversationStore, conversation_id: str, viewer_id: str) -> Any:
        found = await get(store, conversation_id, viewer_id)
        if found.last_message is None:
            return found
        return replace(found, last_message=first.setdefault(conversation_id, found.last_message))

    tools.replace(ConversationStore, "get", get_with_first)


@mutation("unread-stays", "messages.read")
def _unread_stays(tools: Tools) -> None:
    get = ConversationStore.get

    async def get_unread(store: ConversationStore, conversation_id: str, viewer_id: str) -> Any:
        found = await get(store, conversation_id, viewer_id)
        return replace(found, unread_count=found.unread_count or min(1, found.last_seq))

    tools.replace(ConversationStore, "get", get_unread)


@mutation("content-is-trimmed", "messages.to-the-letter")
def _content_is_trimmed(tools: Tools) -> None:
    send = MessageStore.send

    async def send_trimmed(store: MessageStore, new: Any) -> Any:
        return await send(store, replace(new, content=new.content.strip()))

    tools.replace(MessageStore, "send", send_trimmed)


@mutation("keys-are-ignored", "messages.replayed", "messages.client-id", "messages.key-conflict")
def _keys_are_ignored(tools: Tools) -> None:
    send = MessageStore.send

    async def send_anew(store: MessageStore, new: Any) -> Any:
        return await send(store, replace(new, idempotency_key=None, client_message_id=None))

    tools.replace(MessageStore, "send", send_anew)


@mutation("replay-unmarked", "messages.replayed")
def _replay_unmarked(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.headers = [one for one in answer.headers if one[0].lower() != b"idempotency-replayed"]

    tools.answers(change, path="/messages$", method="POST", status=200)


@mutation("groups-without-admin", "conversations.create")
def _groups_without_admin(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        people = [one | {"role": "member"} for one in answer.body["participants"]]
        answer.body = answer.body | {"participants": people}

    tools.answers(change, path="/conversations$", method="POST", status=201)


@mutation("a-member-may-do-all", "participants.admins-only")
def _a_member_may_do_all(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.status = 204 if answer.method == "DELETE" else 200

    tools.answers(change, path="/participants", status=403)


@mutation("message-lacks-a-key", "messages.shape")
def _message_lacks_a_key(tools: Tools) -> None:
    def lessen(message: dict[str, Any]) -> dict[str, Any]:
        return {key: message[key] for key in MessageOut.model_fields if key != "time_ago"}

    def change(answer: RestAnswer) -> None:
        body = answer.body
        if "messages" in body:
            answer.body = body | {"messages": [lessen(one) for one in body["messages"]]}
        else:
            answer.body = lessen(body)

    tools.answers(change, path="/messages$", status=200)
    tools.answers(change, path="/messages$", status=201)


# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────


@mutation("refresh-token-opens-everything", "connect.token-type")
def _refresh_token_opens_everything(tools: Tools) -> None:
    verify = TokenIssuer.verify

    def verify_any(issuer: TokenIssuer, token: str | None, kind: TokenKind) -> Any:
        try:
            return verify(issuer, token, kind)
        except TokenRefused as refused:
            if kind is TokenKind.ACCESS and refused.close_code.reason == "token_type":
                return verify(issuer, token, TokenKind.REFRESH)
            raise

    tools.replace(TokenIssuer, "verify", verify_any)


@mutation("unsigned-tokens-accepted", "connect.token-algorithm", "token.algorithm-fixed")
def _unsigned_tokens_accepted(tools: Tools) -> None:
    read = TokenIssuer._read

    def read_trustfully(issuer: TokenIssuer, token: str) -> Any:
        try:
            if jwt.get_unverified_header(token).get("alg") == "none":
                return issuer._claims(jwt.decode(token, options={"verify_signature": False}))
        except jwt.PyJWTError:
            pass
        return read(issuer, token)

    tools.replace(TokenIssuer, "_read", read_trustfully)


@mutation(
    "signatures-unchecked", "connect.token-signature", "connect.token-algorithm", "token.algorithm-fixed"
)
def _signatures_unchecked(tools: Tools) -> None:
    read = TokenIssuer._read

    def read_trustfully(issuer: TokenIssuer, token: str) -> Any:
        try:
            return issuer._claims(jwt.decode(token, options={"verify_signature": False}))
        except (jwt.PyJWTError, ValueError, KeyError):
            return read(issuer, token)

    tools.replace(TokenIssuer, "_read", read_trustfully)


@mutation("last-of-two-tokens-counts", "token.two-parameters")
def _last_of_two_tokens_counts(tools: Tools) -> None:
    token_of = handshake.token_of

    def token_of_any(scope: Any) -> Any:
        named = [
            one for one in scope["query_string"].split(b"&") if one.startswith(b"token=") and one != b"token="
        ]
        return token_of({**scope, "query_string": named[-1] if named else b""})

    tools.replace(websocket, "token_of", token_of_any)


@mutation("header-counts-for-nothing", "connect.bearer-header", "token.query-and-header")
def _header_counts_for_nothing(tools: Tools) -> None:
    token_of = handshake.token_of

    def token_of_query(scope: Any) -> Any:
        return token_of({**scope, "headers": [one for one in scope["headers"] if one[0] != b"authorization"]})

    tools.replace(websocket, "token_of", token_of_query)


@mutation("expired-tokens-accepted", "connect.token-expired", "token.leeway")
def _expired_tokens_accepted(tools: Tools) -> None:
    verify = TokenIssuer.verify

    def verify_mildly(issuer: TokenIssuer, token: str | None, kind: TokenKind) -> Any:
        try:
            return verify(issuer, token, kind)
        except TokenRefused as refused:
            if token is None or refused.close_code.reason != "token_expired":
                raise
            return replace(issuer._read(token), expires_at=time.time() + 3600)

    tools.replace(TokenIssuer, "verify", verify_mildly)


@mutation("logout-forgets-nothing", "logout.revokes")
def _logout_forgets_nothing(tools: Tools) -> None:
    async def logout(*_: Any) -> None:
        return None

    tools.replace(Accounts, "logout", logout)


@mutation("unknown-users-told-apart", "login.wrong")
def _unknown_users_told_apart(tools: Tools) -> None:
    def change(answer: RestAnswer) -> None:
        answer.body = {"detail": "User not found"}

    tools.answers(change, path="/auth/login$", status=401)
