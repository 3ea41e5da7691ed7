from __future__ import annotations

from tribe_ws.protocol.frames import Connected, MessageRead, Ping, Pong, ReadMark
from tribe_ws.protocol.profiles import FRAMES_OF, Profile, carries

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
