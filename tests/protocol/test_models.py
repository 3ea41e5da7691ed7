from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from tribe_ws.protocol.models import (
    MAX_CONTENT,
    AddParticipantsBody,
    ConversationOut,
    CreateConversationBody,
    HealthOut,
    LoginBody,
    MessageList,
    MessageOut,
    Pagination,
    ParticipantOut,
    PublicUser,
    RegisterBody,
    SendMessageBody,
    UpdateMeBody,
    UserOut,
    preview,
)

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
REGISTER = {
    "email": "Ana@Tribe.test",
    "username": "ana_7",
    "full_name": "Ana Ng",
    "password": "Secret-77",
    "confirm_password": "Secret-77",
}


def complaints(model: type[BaseModel], body: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return [".".join(map(str, error["loc"])) for error in caught.value.errors()]


# ── Keys, in the contract's order ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        (
            UserOut,
            (
                "id,email,username,full_name,bio,profile_image_url,cover_image_url,goals_achieved,photos_shared,"
                "email_verified,is_active,last_seen_at,created_at"
            ),
        ),
        (
            PublicUser,
            (
                "id,username,full_name,bio,profile_image_url,is_verified,goals_achieved,photos_shared,is_online,"
                "last_seen_at"
            ),
        ),
        (
            ConversationOut,
            (
                "id,conversation_type,name,image_url,is_group,participants,participants_count,last_message,"
                "unread_count,is_muted,is_archived,last_message_at,created_at"
            ),
        ),
        (ParticipantOut, "user_id,username,full_name,profile_image_url,role,is_online,last_seen_at"),
        (
            MessageOut,
            (
                "id,conversation_id,sender,content,message_type,media_url,media_thumbnail_url,metadata,"
                "reply_to_message,is_edited,is_deleted,read_by,created_at,time_ago"
            ),
        ),
        (MessageList, "messages,has_more,next_cursor,pagination"),
        (Pagination, "page,limit,total,total_pages,has_more"),
        (HealthOut, "status,version,database,broker,connections"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_the_keys_are_the_contracts(model: type[BaseModel], keys: str):
    assert ",".join(model.model_fields) == keys


def test_a_timestamp_leaves_as_utc_with_milliseconds():
    user = PublicUser(
        id=ID,
        username="ana",
        full_name="Ana",
        bio=None,
        profile_image_url=None,
        is_verified=False,
        goals_achieved=0,
        photos_shared=0,
        is_online=True,
        last_seen_at=datetime(2024, 1, 1, 12, 0, tzinfo=UTC),
    )
    assert user.model_dump()["last_seen_at"] == "2024-01-01T12:00:00.000Z"
    assert PublicUser.model_validate_json(user.model_dump_json()) == user


# ── Accounts ──────────────────────────────────────────────────────────────────────────────────────


def test_a_good_registration_is_taken():
    body = RegisterBody.model_validate(REGISTER | {"more": 1})
    assert (body.email, body.username, body.full_name) == ("ana@tribe.test", "ana_7", "Ana Ng")
    assert "Secret-77" not in repr(body)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"email": "ana"}, ["email"]),
        ({"email": "a b@c.d"}, ["email"]),
        ({"email": 7}, ["email"]),
        ({"email": "a" * 250 + "@b.cd"}, ["email"]),
        ({"username": "an"}, ["username"]),
        ({"username": "a" * 51}, ["username"]),
        ({"username": "ana-7"}, ["username"]),
        ({"username": "anä"}, ["username"]),
        ({"username": "ana\n"}, ["username"]),
        ({"full_name": " "}, ["full_name"]),
        ({"full_name": "A\0"}, ["full_name"]),
        ({"password": "Secret-7" * 17}, ["password"]),
        ({"password": "Short-7"}, ["password"]),
        ({"password": "secret-77"}, ["password"]),
        ({"password": "SECRET-77"}, ["password"]),
        ({"password": "Secret-Seven"}, ["password"]),
        ({"confirm_password": "Secret-78"}, ["confirm_password"]),
    ],
    ids=str,
)
def test_a_bad_registration_is_refused_by_field(change: dict[str, Any], fields: list[str]):
    assert complaints(RegisterBody, REGISTER | change) == fields


@pytest.mark.parametrize("field", list(REGISTER))
def test_every_field_of_a_registration_is_needed(field: str):
    body = {name: value for name, value in REGISTER.items() if name != field}
    assert complaints(RegisterBody, body)[0] == field


@pytest.mark.parametrize("device_info", [None, "Pixel 9", {"platform": "ios", "os": {"version": 26}}])
def test_login_takes_an_address_or_a_username_and_any_device(device_info: Any):
    body = {"email": " Ana@Tribe.test ", "password": "x", "device_info": device_info}
    assert LoginBody.model_validate(body).email == "ana@tribe.test"
    assert LoginBody.model_validate({"email": "ana_7", "password": ""}).device_info is None


def test_an_update_holds_only_what_was_sent():
    body = UpdateMeBody.model_validate({"bio": None, "full_name": "Ana"})
    assert body.model_dump(exclude_unset=True) == {"bio": None, "full_name": "Ana"}
    assert complaints(UpdateMeBody, {"full_name": None}) == ["full_name"]
    assert complaints(UpdateMeBody, {"bio": "x" * 501}) == ["bio"]


# ── Conversations ─────────────────────────────────────────────────────────────────────────────────


def test_participants_are_named_once_and_in_lower_case():
    body = CreateConversationBody.model_validate(
        {"conversation_type": "group", "participant_ids": [ID.upper(), ID], "name": "Crew"}
    )
    assert body.participant_ids == [ID]
    assert AddParticipantsBody.model_validate({"user_ids": [ID]}).user_ids == [ID]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"conversation_type": "channel"}, ["conversation_type"]),
        ({"participant_ids": []}, ["participant_ids"]),
        ({"participant_ids": ["alice"]}, ["participant_ids.0"]),
        ({"participant_ids": ID}, ["participant_ids"]),
        ({"name": ""}, ["name"]),
    ],
    ids=str,
)
def test_a_bad_conversation_is_refused_by_field(change: dict[str, Any], fields: list[str]):
    body = {"conversation_type": "direct", "participant_ids": [ID]} | change
    assert complaints(CreateConversationBody, body) == fields


# ── Messages ──────────────────────────────────────────────────────────────────────────────────────


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_content_is_kept_to_the_letter(content: str):
    if content.isspace():
        assert complaints(SendMessageBody, {"content": content}) == ["content"]
    else:
        assert SendMessageBody.model_validate({"content": content}).content == content


@pytest.mark.parametrize("content", ["x", "😀" * MAX_CONTENT, "\x1b]0;x\x07", "<b>", "a\u202eb", " x\n"])
def test_content_may_hold_anything(content: str):
    assert SendMessageBody.model_validate({"content": content}).content == content


@pytest.mark.parametrize(
    "content", ["", " ", "\n\t\u3000", "x" * (MAX_CONTENT + 1), "a\0b", "\ud800", "x\udfff", 7, None, ["x"]]
)
def test_content_that_cannot_be_stored_or_says_nothing_is_refused(content: Any):
    assert complaints(SendMessageBody, {"content": content}) == ["content"]


@pytest.mark.parametrize("message_type", ["text", "image", "video", "audio", "file"])
def test_the_five_types_of_message(message_type: str):
    body = {"content": "x", "message_type": message_type}
    assert SendMessageBody.model_validate(body).message_type == message_type


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"message_type": "poem"}, ["message_type"]),
        ({"reply_to_message_id": "first"}, ["reply_to_message_id"]),
        ({"client_message_id": ""}, ["client_message_id"]),
        ({"client_message_id": "x" * 129}, ["client_message_id"]),
        ({"client_message_id": "\0"}, ["client_message_id"]),
    ],
    ids=str,
)
def test_a_bad_message_is_refused_by_field(change: dict[str, Any], fields: list[str]):
    assert complaints(SendMessageBody, {"content": "x"} | change) == fields


def test_absent_and_null_options_are_alike():
    absent = SendMessageBody.model_validate({"content": "x"})
    null = SendMessageBody.model_validate(
        {"content": "x", "reply_to_message_id": None, "client_message_id": None}
    )
    assert absent == null


def test_a_preview_ends_after_a_hundred_characters():
    assert preview("x" * 100) == "x" * 100
    assert preview("x" * 101) == "x" * 100 + "…"
