"""Ways to break what the profiles ``app`` and ``v2`` add."""

from __future__ import annotations

from typing import Any

from tests.check.breaking import Tools, mutation
from tribe_ws.errors import ProtocolViolation
from tribe_ws.hub.guest import Guest
from tribe_ws.hub.presence import PresenceState
from tribe_ws.protocol.frames_v2 import Subscription
from tribe_ws.protocol.session import Ignore
from tribe_ws.protocol.session_v2 import SessionV2
from tribe_ws.server.messaging import Messaging
from tribe_ws.server.visit import Visit
from tribe_ws.server.visit_v2 import VisitV2
from tribe_ws.storage.conversations import ConversationStore
from tribe_ws.storage.users import UserStore

# ── app ─────────────────────────────────────────────────────────────────────────────────────────────────


@mutation("presence-to-oneself", "presence.not-to-oneself", level="app", profile="app")
def _presence_to_oneself(tools: Tools) -> None:
    contacts = UserStore.contacts_of

    async def contacts_and_oneself(store: UserStore, user_id: str) -> Any:
        return {*await contacts(store, user_id), user_id}

    tools.replace(UserStore, "contacts_of", contacts_and_oneself)


@mutation("presence-to-everybody", "presence.shared", level="app", profile="app")
def _presence_to_everybody(tools: Tools) -> None:
    async def everybody(store: UserStore, user_id: str) -> Any:
        found = await store.search("", 0, 100)
        return {user.id for user in found if user.id != user_id}

    tools.replace(UserStore, "contacts_of", everybody)


@mutation("presence-key-renamed", "presence.shape", level="app", profile="app")
def _presence_key_renamed(tools: Tools) -> None:
    def rename(frame: dict[str, Any]) -> None:
        frame["data"]["last_seen"] = frame["data"].pop("last_seen_at")

    tools.frames("presence", rename)


@mutation("nobody-ever-leaves", "presence.last-socket", level="app", profile="app")
def _nobody_ever_leaves(tools: Tools) -> None:
    gone = PresenceState._gone

    def gone_silently(state: PresenceState, user_id: str) -> None:
        announce, state._announce = state._announce, lambda *_: None
        gone(state, user_id)
        state._announce = announce

    tools.replace(PresenceState, "_gone", gone_silently)


@mutation("leaving-is-told-at-once", "presence.returning", level="app", profile="app", presence_delay=0.0)
def _leaving_is_told_at_once(tools: Tools) -> None:
    assert tools is not None, "the setting breaks it"


@mutation("reads-are-not-told", "read.shape", level="app", profile="app")
def _reads_are_not_told(tools: Tools) -> None:
    async def mark_read(desk: Messaging, conversation_id: str, user_id: str) -> Any:
        return await desk._storage.conversations.mark_read(conversation_id, user_id)

    tools.replace(Messaging, "mark_read", mark_read)


# ── v2 ──────────────────────────────────────────────────────────────────────────────────────────────────


@mutation("numbers-have-gaps", "v2.message", level="v2")
def _numbers_have_gaps(tools: Tools) -> None:
    def stretch(frame: dict[str, Any]) -> None:
        if "seq" in frame["data"]:
            frame["data"]["seq"] *= 2

    tools.frames("message.new", stretch)


@mutation("ref-not-echoed", "v2.ref", level="v2")
def _ref_not_echoed(tools: Tools) -> None:
    for event in ("pong", "subscribed", "unsubscribed", "authenticated", "error"):
        tools.frames(event, lambda frame: {key: frame[key] for key in frame if key != "ref"})


@mutation("recovered-lies", "v2.resume-epoch", level="v2")
def _recovered_lies(tools: Tools) -> None:
    joined = SessionV2.joined_at

    def joined_gladly(session: SessionV2, room: str, state: Subscription, ref: str | None = None) -> Any:
        is_asked = state.recovered is not None
        state = state.model_copy(update={"recovered": True}) if is_asked else state
        return joined(session, room, state, ref)

    tools.replace(SessionV2, "joined_at", joined_gladly)


@mutation("missed-messages-are-lost", "v2.resume", "v2.resume-seam", level="v2")
def _missed_messages_are_lost(tools: Tools) -> None:
    async def send_nothing(*_: Any) -> None:
        return None

    tools.replace(VisitV2, "_send_missed", send_nothing)


@mutation("echo-to-the-poster", "v2.echo", level="v2")
def _echo_to_the_poster(tools: Tools) -> None:
    def is_owed(guest: Guest[Any], author: str | None, _posted_on: str | None) -> bool:
        return guest.user_id != author or guest.echo

    tools.replace(Guest, "is_owed", is_owed)


@mutation("errors-unsaid", "v2.error", "v2.error-not-found", "v2.auth-refused", level="v2")
def _errors_unsaid(tools: Tools) -> None:
    tools.replace(SessionV2, "complain", lambda _session, violation: (Ignore(violation),))


@mutation("foreign-told-from-unknown", "v2.error-not-found", level="v2")
def _foreign_told_from_unknown(tools: Tools) -> None:
    async def refuse_precisely(visit: Visit, conversation_id: str, ref: str | None) -> None:
        code = "not_participant" if conversation_id in made else "not_found"
        problem = ProtocolViolation(code, "no", conversation_id=conversation_id, ref=ref)
        await visit._carry_out(visit._session.complain(problem))

    create = ConversationStore.create
    made: set[str] = set()

    async def create_and_remember(store: ConversationStore, *new: Any) -> Any:
        found = await create(store, *new)
        made.add(found[0].id)
        return found

    tools.replace(ConversationStore, "create", create_and_remember)
    tools.replace(Visit, "_refuse", refuse_precisely)


@mutation("removal-untold", "v2.unsubscribed-removed", level="v2")
def _removal_untold(tools: Tools) -> None:
    tools.replace(VisitV2, "_on_evicted", lambda *_: None)


@mutation(
    "documented-see-numbers",
    "v2.others-untouched",
    "document.server-message-new",
    "message.keys",
    level="v2",
)
def _documented_see_numbers(tools: Tools) -> None:
    tools.frames(
        "message.new", lambda frame: frame | {"data": frame["data"] | {"seq": frame["data"].get("seq", 1)}}
    )
