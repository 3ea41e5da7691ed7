"""``RestClient``: every REST call of contract 5, typed.

Errors are ``ApiError`` (an error status), ``AuthenticationError`` (401, after one renewal where that is
possible), ``CannotConnect`` (nobody there, or no answer) and ``ProtocolViolation`` (an answer that breaks the
contract). A message is never stored twice by a repeated send: see ``send_message``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

from tribe_ws.client.calls import Answer, RestCalls
from tribe_ws.client.exchanges import Exchange
from tribe_ws.client.results import (
    Conversation,
    ConversationPage,
    Health,
    LoggedIn,
    Message,
    MessagePage,
    Raw,
    SentMessage,
    User,
    read_conversation,
    read_conversation_page,
    read_message,
    read_message_page,
    read_user,
    required,
)
from tribe_ws.client.sending import Sender
from tribe_ws.client.tokens import FixedToken, TokenKeeper, Tokens, TokenSource
from tribe_ws.clock import Clock, SystemClock
from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.urls import ServerAddress, parse_address

if TYPE_CHECKING:
    import httpx


class RestClient:
    """The REST side of one server, for one user or for nobody.

    ``token`` may be an access token, a pair of ``Tokens`` (it renews by itself) or a source of one's own.
    ``on_tokens`` hears of every new pair, from a login, a registration or a renewal, so that it can be kept.
    ``on_exchange`` hears of every answered call, for a record of what was done; secrets are still in it.
    """

    def __init__(
        self,
        address: ServerAddress | str,
        token: str | Tokens | TokenSource | None = None,
        *,
        on_tokens: Callable[[Tokens], None] | None = None,
        timeout: float = 10.0,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.address = parse_address(address) if isinstance(address, str) else address
        self._clock = clock or SystemClock()
        self._on_tokens = on_tokens
        self._calls = RestCalls(
            self.address,
            self._source_of(token),
            timeout=timeout,
            transport=transport,
            on_exchange=on_exchange,
        )
        self._sender = Sender(self._calls, self._clock)

    def __repr__(self) -> str:
        return f"RestClient({self.address.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections to the server; the client can be used again."""
        await self._calls.close()

    @property
    def source(self) -> TokenSource | None:
        """Where the access token comes from; an ``EventStream`` of the same user takes the same one."""
        return self._calls.source

    @property
    def tokens(self) -> Tokens | None:
        """The tokens as they are now; ``None`` where nobody is logged in or the source is not ours."""
        return self.source.tokens if isinstance(self.source, TokenKeeper) else None

    def report_to(self, on_exchange: Callable[[Exchange], None]) -> None:
        """Have somebody else hear of every answered call from now on."""
        self._calls.on_exchange = on_exchange

    # ── accounts ──────────────────────────────────────────────────────────────────────────────────────────

    async def register(
        self, *, email: str, username: str, full_name: str, password: str, confirm_password: str | None = None
    ) -> LoggedIn:
        """Make an account and be logged in as it."""
        body = {
            "email": email,
            "username": username,
            "full_name": full_name,
            "password": password,
            "confirm_password": password if confirm_password is None else confirm_password,
        }
        return self._logged_in(await self._calls.call("POST", "/auth/register", body=body, with_token=False))

    async def login(self, email: str, password: str, *, device_info: Any = None) -> LoggedIn:
        """Log in by e-mail address or username; from then on this client acts as that user."""
        body: Raw = {"email": email, "password": password}
        if device_info is not None:
            body["device_info"] = device_info
        return self._logged_in(await self._calls.call("POST", "/auth/login", body=body, with_token=False))

    async def refresh(self, refresh_token: str | None = None) -> Tokens:
        """Renew the access token, by the refresh token given or by one's own."""
        if refresh_token is not None:
            return await self._refresh(refresh_token)
        keeper = self.source
        if not isinstance(keeper, TokenKeeper):
            await FixedToken("").renew("")
        assert isinstance(keeper, TokenKeeper)
        await keeper.renew(keeper.tokens.access_token)
        return keeper.tokens

    async def logout(self, refresh_token: str | None = None) -> None:
        """Revoke the refresh token, the one given or one's own, and forget both tokens."""
        held = self.tokens.refresh_token if self.tokens else None
        body = {"refresh_token": refresh_token or held or ""}
        await self._calls.call("POST", "/auth/logout", body=body)
        if refresh_token is None or refresh_token == held:
            self._calls.source = None

    async def me(self) -> User:
        """Tell who one is."""
        return read_user((await self._calls.call("GET", "/auth/me")).object)

    async def update_me(self, **changes: Any) -> User:
        """Change one's own profile, field by field, and give it as it is then."""
        return read_user((await self._calls.call("PUT", "/users/me", body=changes)).object)

    async def user(self, user_id: str) -> User:
        """Give the public part of a user."""
        return read_user((await self._calls.call("GET", f"/users/{_segment(user_id)}")).object)

    async def search_users(self, text: str = "", *, page: int = 1, limit: int = 20) -> tuple[User, ...]:
        """Find users whose name holds a text; an empty text finds all."""
        query = {"q": text, "page": page, "limit": limit}
        found = (await self._calls.call("GET", "/search/users", query=query)).body
        if isinstance(found, dict):
            found = found.get("users") or found.get("results")
        if not isinstance(found, list):
            raise ProtocolViolation("invalid_payload", "the server's answer is not a list of users")
        return tuple(read_user(one) for one in found if isinstance(one, dict))

    # ── conversations ─────────────────────────────────────────────────────────────────────────────────────

    async def conversations(self, *, page: int = 1, limit: int = 20) -> ConversationPage:
        """List one page of one's conversations, newest activity first."""
        answer = await self._calls.call("GET", "/conversations", query={"page": page, "limit": limit})
        return read_conversation_page(answer.object)

    async def all_conversations(self, *, at_most: int = 1000) -> tuple[Conversation, ...]:
        """List all of one's conversations, page after page."""
        found: dict[str, Conversation] = {}
        page = 1
        while True:
            batch = await self.conversations(page=page, limit=100)
            known = len(found)
            found.update((one.id, one) for one in batch.conversations)
            # A server that does not know paging gives the same page for ever.
            if not batch.has_more or len(found) == known or len(found) >= at_most:
                return tuple(found.values())
            page += 1

    async def conversation(self, conversation_id: str) -> Conversation:
        """Give one conversation."""
        return read_conversation((await self._calls.call("GET", _path(conversation_id))).object)

    async def create_conversation(
        self,
        participant_ids: Iterable[str],
        *,
        conversation_type: Literal["direct", "group"] = "direct",
        name: str | None = None,
    ) -> Conversation:
        """Begin a conversation; a direct one which is there already is given instead."""
        body: Raw = {"conversation_type": conversation_type, "participant_ids": list(participant_ids)}
        if name is not None:
            body["name"] = name
        return read_conversation((await self._calls.call("POST", "/conversations", body=body)).object)

    async def add_participants(self, conversation_id: str, user_ids: Iterable[str]) -> Conversation:
        """Take users into a group, as its admin."""
        path = f"{_path(conversation_id)}/participants"
        answer = await self._calls.call("POST", path, body={"user_ids": list(user_ids)})
        return read_conversation(answer.object)

    async def remove_participant(self, conversation_id: str, user_id: str) -> None:
        """Take a user out of a group, as its admin; or leave it."""
        await self._calls.call("DELETE", f"{_path(conversation_id)}/participants/{_segment(user_id)}")

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────

    async def messages(
        self,
        conversation_id: str,
        *,
        limit: int = 50,
        page: int | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> MessagePage:
        """Give one page of messages, oldest first: the newest, or what lies ``before`` or ``after`` an id."""
        query = {"limit": limit, "page": page, "before": before, "after": after}
        answer = await self._calls.call("GET", f"{_path(conversation_id)}/messages", query=query)
        return read_message_page(answer.object, conversation_id)

    async def send_message(
        self,
        conversation_id: str,
        content: str,
        *,
        message_type: str | None = None,
        reply_to_message_id: str | None = None,
        client_message_id: str | None = None,
        idempotency_key: str | None = None,
        connection_id: str | None = None,
        patience: float = 0.0,
    ) -> SentMessage:
        """Store a message; returns when the server has committed it (contract 6.1).

        For ``patience`` seconds a send that could not go out is tried again. One that went out and got no
        answer is repeated only at a server that is known to honour idempotency keys, with the same key:
        nothing is stored twice. ``connection_id`` is the socket of ``tribe.v2`` that needs no echo of it.
        """
        body: Raw = {"content": content}
        optional = {
            "message_type": message_type,
            "reply_to_message_id": reply_to_message_id,
            "client_message_id": client_message_id,
        }
        body.update((name, value) for name, value in optional.items() if value is not None)
        sent = await self._sender.send(
            f"{_path(conversation_id)}/messages",
            body,
            key=idempotency_key,
            patience=patience,
            connection_id=connection_id,
        )
        return SentMessage(
            message=self._message_of(sent.answer, conversation_id),
            recipients=_count(sent.answer.headers.get("tribe-recipients")),
            is_replayed=sent.answer.headers.get("idempotency-replayed", "").lower() == "true",
            seconds=sent.answer.seconds,
            idempotency_key=sent.key,
            tries=sent.tries,
        )

    async def mark_read(self, conversation_id: str) -> None:
        """Say that one has read everything in a conversation."""
        await self._calls.call("POST", f"{_path(conversation_id)}/read", body={})

    # ── the server ────────────────────────────────────────────────────────────────────────────────────────

    async def health(self) -> Health:
        """Ask how the server is; needs no token."""
        raw = (await self._calls.call("GET", "/health", prefix="", with_token=False)).object
        return Health(str(raw.get("status", "")), str(raw.get("version", "")), raw)

    async def call(
        self, method: str, path: str, *, body: Raw | None = None, query: Raw | None = None
    ) -> Answer:
        """Make any other call below ``/api/v1``, for what has no method here."""
        return await self._calls.call(method, path, body=body, query=query)

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        with_token: bool = True,
    ) -> Answer:
        """Make one call by its path from the server's root, and give its answer whatever the status.

        For tests of a server: the content goes out to the letter, and nothing is renewed or tried again.
        """
        token = await self.source.current() if with_token and self.source is not None else None
        return await self._calls.exchange(
            method, path, content=content, headers=dict(headers or {}), token=token
        )

    def _source_of(self, token: str | Tokens | TokenSource | None) -> TokenSource | None:
        if isinstance(token, Tokens):
            return self._keeper(token)
        return self._keeper(Tokens(token)) if isinstance(token, str) else token

    def _keeper(self, tokens: Tokens) -> TokenKeeper:
        return TokenKeeper(tokens, self._refresh, on_change=self._on_tokens, clock=self._clock)

    async def _refresh(self, refresh_token: str) -> Tokens:
        body = {"refresh_token": refresh_token}
        answer = await self._calls.call("POST", "/auth/refresh", body=body, with_token=False)
        return self._tokens_of(answer.object)

    def _logged_in(self, answer: Answer) -> LoggedIn:
        raw = answer.object
        tokens = self._tokens_of(raw)
        user = raw.get("user")
        result = LoggedIn(read_user(user if isinstance(user, dict) else {}), tokens, raw)
        if isinstance(self.source, TokenKeeper):
            self.source.replace(tokens)
        else:
            self._calls.source = self._keeper(tokens)
            if self._on_tokens is not None:
                self._on_tokens(tokens)
        return result

    def _tokens_of(self, raw: Raw) -> Tokens:
        return Tokens.given(
            required(raw, "access_token"), raw.get("refresh_token"), raw.get("expires_in"), self._clock.now()
        )

    def _message_of(self, answer: Answer, conversation_id: str) -> Message:
        return read_message(answer.object, conversation_id)


def _segment(text: str) -> str:
    return quote(text, safe="")


def _path(conversation_id: str) -> str:
    return f"/conversations/{_segment(conversation_id)}"


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
