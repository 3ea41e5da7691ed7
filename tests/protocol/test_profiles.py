from __future__ import annotations

from tribe_ws.protocol.codec import encode
from tribe_ws.protocol.frames import (
    Connected,
    MessageNew,
    MessageRead,
    NewMessage,
    Ping,
    Pong,
    ReadMark,
    Sender,
)
from tribe_ws.protocol.frames_v2 import MessageNewV2, Stamp
from tribe_ws.protocol.profiles import FRAMES_OF, Profile, carries, spell

READ = MessageRead(
    conversation_id="c",
    data=ReadMark(user_id="u", read_at="2024-01-01T12:00:00.000Z", last_read_message_id=None),
)


def test_documented_carries_the_documents_events_alone():
    assert carries(Profile.DOCUMENTED, Pong())
    assert carries(Profile.DOCUMENTED, Connected())
    assert not carries(Profile.DOCUMENTED, READ)


def test_app_carries_what_the_app_decodes_beyond_them():
    assert carries(Profile.APP, READ)
    assert FRAMES_OF[Profile.DOCUMENTED] < FRAMES_OF[Profile.APP]


def test_no_profile_carries_a_clients_frame():
    assert not any(carries(profile, Ping()) for profile in Profile)


def test_v2_alone_shows_the_number_of_a_message():
    sender = Sender(id="u", username="ana", full_name="Ana", profile_image_url=None)
    data = NewMessage(
        id="m", conversation_id="c", sender=sender, content="x", message_type="text", created_at="t"
    )
    frame, stamp = MessageNew(conversation_id="c", data=data), Stamp(7, "mine", "socket")
    assert spell(Profile.DOCUMENTED, frame, stamp) is frame
    assert spell(Profile.APP, frame, stamp) is frame
    widened = spell(Profile.V2, frame, stamp)
    assert isinstance(widened, MessageNewV2)
    assert encode(widened) == encode(frame)[:-2] + b',"seq":7,"client_message_id":"mine"}}'
    assert spell(Profile.V2, frame) is None
    assert spell(Profile.V2, READ) is READ
    assert spell(Profile.DOCUMENTED, READ) is None
