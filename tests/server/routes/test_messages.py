"""Sending and reading messages on a real socket (contract 3.3, 5, 6)."""

from __future__ import annotations

import pytest

from tests.server.routes.test_users import PUBLIC
from tribe_ws.clock import new_id
from tribe_ws.errors import StorageUnavailable

MESSAGE = [
    "id", "conversation_id", "sender", "content", "message_type", "media_url", "media_thumbnail_url",
    "metadata", "reply_to_message", "is_edited", "is_deleted", "read_by", "created_at", "time_ago",
]  # fmt: skip


@pytest.fixture
def ana(backend):
    return backend.person()


@pytest.fixture
def ben(backend):
    return backend.person()


@pytest.fixture
def room(backend, ana, ben):
    return backend.group(ana, ben)


def send(backend, person, room, body, **headers):
    return backend.post(f"/conversations/{room}/messages", person, json=body, headers=headers)


def send_raw(backend, person, room, content):
    return backend.post(
        f"/conversations/{room}/messages",
        person,
        content=content,
        headers={"Content-Type": "application/json"},
    )


def read(backend, person, room, **params):
    answer = backend.get(f"/conversations/{room}/messages", person, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def contents(page):
    return [message["content"] for message in page["messages"]]


def test_stored_message_has_the_keys_of_the_contract_in_their_order(backend, ana, room):
    answer = send(backend, ana, room, {"content": "hello"})
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    message = answer.json()
    assert list(message) == MESSAGE
    assert list(message["sender"]) == PUBLIC
    assert (message["conversation_id"], message["sender"]["id"]) == (room, ana.id)
    assert (message["content"], message["message_type"], message["time_ago"]) == ("hello", "text", "just now")
    assert message["created_at"].endswith("Z")
    assert read(backend, ana, room)["messages"] == [message]


def test_message_reaches_the_sockets_of_the_others_with_exactly_the_documented_keys(backend, ana, ben, room):
    with backend.socket(ben, room) as first, backend.socket(ben, room) as second, backend.socket(ana, room):
        answer = send(backend, ana, room, {"content": "hello"})
        assert answer.headers["Tribe-Recipients"] == "2"
        message = answer.json()
        sender = {key: message["sender"][key] for key in ("id", "username", "full_name", "profile_image_url")}
        expected = {
            "event": "message.new",
            "conversation_id": room,
            "data": {
                "id": message["id"],
                "conversation_id": room,
                "sender": sender,
                "content": "hello",
                "message_type": "text",
                "created_at": message["created_at"],
            },
        }
        for socket in (first, second):
            got = socket.next()
            assert got == expected
            assert list(got["data"]) == list(expected["data"])


def test_sender_gets_nothing_on_any_socket(backend, ana, ben, room):
    with backend.socket(ana, room) as own, backend.socket(ben, room) as other:
        assert send(backend, ana, room, {"content": "hello"}).headers["Tribe-Recipients"] == "1"
        assert other.next()["event"] == "message.new"
        assert own.events_until_pong() == []


def test_nobody_listening_means_no_recipients(backend, ana, room):
    assert send(backend, ana, room, {"content": "hello"}).headers["Tribe-Recipients"] == "0"


@pytest.mark.parametrize(
    "content",
    [
        "x" * 5000, "😀" * 5000, " padded ", "\x1b[31mred\x07", "\u202egnirts", "<script>&amp;",
        "line\nline\t", "é", "e\u0301", "\u200b!", '"\\', "a\u2028b", "\x7f\x80", "/quit",
    ],
    ids=ascii,
)  # fmt: skip
def test_content_is_kept_to_the_letter(backend, ana, ben, room, content):
    with backend.socket(ben, room) as socket:
        assert send(backend, ana, room, {"content": content}).json()["content"] == content
        assert socket.next()["data"]["content"] == content
    assert contents(read(backend, ben, room)) == [content]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"content": ""}, {"content": "  \n"}, {"content": "x" * 5001}, {"content": "a\0b"},
        {"content": 5}, {"content": None}, {"content": ["x"]}, {"content": "x", "message_type": "poem"},
        {"content": "x", "reply_to_message_id": "x"}, {"content": "x", "client_message_id": ""},
        {"content": "x", "client_message_id": "x" * 129}, [], "text", 5, None, True,
    ],
    ids=lambda body: ascii(body)[:40],
)  # fmt: skip
def test_unacceptable_message_is_422_and_stores_nothing(backend, ana, room, body):
    answer = send(backend, ana, room, body)
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail", "errors"]
    assert answer.json()["detail"] == "Validation error"
    assert all(list(error) == ["field", "message"] for error in answer.json()["errors"])
    assert read(backend, ana, room)["messages"] == []


HOSTILE = {
    "lone surrogate": b'{"content":"\\ud800"}',
    "NaN": b'{"content":NaN}',
    "infinity": b'{"content":"x","n":1e999}',
    "nested": b'{"content":"x","n":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "5,000 digits": b'{"content":"x","n":' + b"1" * 5000 + b"}",
    "doubled key": b'{"content":"x","content":"y"}',
    "invalid UTF-8": b'{"content":"\xff"}',
    "NUL escape": b'{"content":"\\u0000"}',
    "not JSON": b"content=x",
    "nothing": b"",
    "half": b'{"content":"x"',
    "UTF-16": '{"content":"x"}'.encode("utf-16"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_body_is_422_and_no_traceback(backend, ana, room, name):
    answer = send_raw(backend, ana, room, HOSTILE[name])
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail", "errors"]
    assert "Traceback" not in backend.log


def test_body_beyond_the_limit_is_413(start):
    backend = start(max_body_bytes=2000)
    ana = backend.person()
    room = backend.group(ana, backend.person())
    answer = send(backend, ana, room, {"content": "x" * 3000})
    assert (answer.status_code, answer.json()) == (413, {"detail": "Request body too large"})
    assert send(backend, ana, room, {"content": "x" * 1000}).status_code == 201


@pytest.mark.parametrize("kind", ["text", "image", "video", "audio", "file"])
def test_every_message_type_is_kept(backend, ana, room, kind):
    assert send(backend, ana, room, {"content": "x", "message_type": kind}).json()["message_type"] == kind


def test_reply_shows_what_it_answers(backend, ana, ben, room):
    first = send(backend, ana, room, {"content": "question"}).json()
    body = {"content": "answer", "reply_to_message_id": first["id"].upper()}
    reply = send(backend, ben, room, body).json()
    assert list(reply["reply_to_message"]) == MESSAGE
    assert reply["reply_to_message"]["id"] == first["id"]


def test_reply_to_nothing_is_refused(backend, ana, room):
    answer = send(backend, ana, room, {"content": "answer", "reply_to_message_id": new_id()})
    assert answer.status_code in {404, 422}
    assert read(backend, ana, room)["messages"] == []


@pytest.mark.parametrize("way", ["header", "body"])
def test_repeat_with_the_same_key_gives_the_same_message_and_no_second_broadcast(
    backend, ana, ben, room, way
):
    key = new_id()
    body = {"content": "once"} | ({"client_message_id": key} if way == "body" else {})
    headers = {"Idempotency-Key": key} if way == "header" else {}
    with backend.socket(ben, room) as socket:
        first, second = (send(backend, ana, room, body, **headers) for _ in range(2))
        assert [first.status_code, second.status_code] == [201, 200]
        assert second.json() == first.json()
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.headers["Tribe-Recipients"] == "0"
        assert socket.next()["event"] == "message.new"
        assert socket.events_until_pong() == []
    assert contents(read(backend, ana, room)) == ["once"]


def test_same_key_with_another_body_is_409(backend, ana, room):
    key = new_id()
    send(backend, ana, room, {"content": "one"}, **{"Idempotency-Key": key})
    answer = send(backend, ana, room, {"content": "two"}, **{"Idempotency-Key": key})
    assert answer.status_code == 409
    assert list(answer.json()) == ["detail"]


def test_key_belongs_to_one_sender_and_conversation(backend, ana, ben, room):
    key = {"Idempotency-Key": new_id()}
    other_room = backend.group(ana, ben)
    answers = [
        send(backend, person, place, {"content": "x"}, **key)
        for person, place in ((ana, room), (ben, room), (ana, other_room))
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201]


@pytest.mark.parametrize("key", ["", "x" * 129, "two words", "é"])
def test_unusable_key_is_422(backend, ana, room, key):
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    headers += [(name.encode(), value.encode()) for name, value in ana.headers.items()]
    answer = backend.http.post(f"/conversations/{room}/messages", json={"content": "x"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_two_keys_are_422(backend, ana, room):
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b"), *ana.headers.items()]
    answer = backend.http.post(f"/conversations/{room}/messages", json={"content": "x"}, headers=headers)
    assert answer.status_code == 422


def test_page_runs_from_old_to_new_and_newest_page_comes_first(backend, ana, room):
    for number in range(5):
        send(backend, ana, room, {"content": str(number)})
    page = read(backend, ana, room, limit=2)
    assert list(page) == ["messages", "has_more", "next_cursor", "pagination"]
    assert list(page["pagination"]) == ["page", "limit", "total", "total_pages", "has_more"]
    assert contents(page) == ["3", "4"]
    assert (page["has_more"], page["pagination"]["total"]) == (True, 5)
    assert contents(read(backend, ana, room, limit=2, page=3)) == ["0"]
    before = read(backend, ana, room, limit=2, before=page["next_cursor"])
    assert contents(before) == ["1", "2"]


def test_after_runs_upwards_for_catching_up(backend, ana, room):
    sent = [send(backend, ana, room, {"content": str(number)}).json()["id"] for number in range(5)]
    page = read(backend, ana, room, after=sent[1].upper(), limit=2)
    assert (contents(page), page["has_more"]) == (["2", "3"], True)
    rest = read(backend, ana, room, after=page["next_cursor"], limit=2)
    assert (contents(rest), rest["has_more"], rest["next_cursor"]) == (["4"], False, None)


@pytest.mark.parametrize("cursor", ["before", "after"])
@pytest.mark.parametrize("value", [new_id(), "x", ""], ids=["unknown", "no id", "empty"])
def test_unknown_cursor_is_404(backend, ana, room, cursor, value):
    answer = backend.get(f"/conversations/{room}/messages", ana, params={cursor: value})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Message not found"})


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 201}, {"page": 0}, {"page": 10**30}, {"limit": "x"}]
)
def test_page_that_makes_no_sense_is_422(backend, ana, room, params):
    answer = backend.get(f"/conversations/{room}/messages", ana, params=params)
    assert answer.status_code == 422


@pytest.mark.parametrize("reason", ["storage_full", "storage_busy", "storage_io"])
def test_storage_that_fails_is_503_with_its_reason_and_no_broadcast(
    backend, ana, ben, room, reason, monkeypatch
):
    async def fail(_new):
        raise StorageUnavailable("the disk is full", reason=reason)

    with backend.socket(ben, room) as socket:
        monkeypatch.setattr(backend.services.storage.messages, "send", fail)
        answer = send(backend, ana, room, {"content": "x"})
        assert answer.status_code == 503
        assert reason in answer.json()["detail"]
        assert int(answer.headers["Retry-After"]) >= 1
        assert socket.events_until_pong() == []
        monkeypatch.undo()
        assert send(backend, ana, room, {"content": "again"}).status_code == 201
        assert socket.next()["data"]["content"] == "again"


def test_sending_ends_the_senders_typing(backend, ana, ben, room):
    with backend.socket(ana) as typist, backend.socket(ben, room) as reader:
        typist.send(event="typing", conversation_id=room, is_typing=True)
        assert reader.next()["data"]["is_typing"] is True
        send(backend, ana, room, {"content": "done"})
        events = [reader.next(), reader.next()]
        assert [frame["event"] for frame in events] == ["typing", "message.new"]
        assert events[0]["data"]["is_typing"] is False


def test_many_messages_arrive_in_the_order_of_their_commits(backend, ana, ben, room):
    from concurrent.futures import ThreadPoolExecutor

    with backend.socket(ben, room) as socket:
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda number: send(backend, ana, room, {"content": str(number)}), range(100))
            )
        assert {answer.status_code for answer in answers} == {201}
        arrived = [socket.next()["data"] for _ in range(100)]
    stored = read(backend, ana, room, limit=200)["messages"]
    assert [data["id"] for data in arrived] == [message["id"] for message in stored]
    times = [data["created_at"] for data in arrived]
    assert times == sorted(set(times))
