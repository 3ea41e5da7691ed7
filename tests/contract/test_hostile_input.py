"""What a hostile client sends: it changes nothing, for nobody, and leaves no traceback (contract 3.2, 5)."""

from __future__ import annotations

import asyncio
import json
import random
import struct
from typing import Any

import pytest

from tests.contract.harness import DEADLINE, RunningServer, Socket, exchange, running_server, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


async def ignores(server: RunningServer, data: str | bytes) -> None:
    """Make sure that the frame is ignored and that the connection lives on."""
    ana = await server.person()
    async with server.connect(ana) as socket:
        await socket.send(data)
        assert await socket.hears_nothing()


@pytest.mark.clause("frames.not-json")
@pytest.mark.parametrize("text", ["", " ", "hello", "{", '{"event":"ping"', "{'event':'ping'}", "\x00"])
async def test_what_is_not_json_is_ignored(server: RunningServer, text: str):
    await ignores(server, text)


@pytest.mark.clause("frames.not-object")
@pytest.mark.parametrize("text", ["[]", "null", "true", "7", '"ping"', '[{"event":"ping"}]'])
async def test_json_that_is_no_object_is_ignored(server: RunningServer, text: str):
    await ignores(server, text)


@pytest.mark.clause("frames.unknown-event")
@pytest.mark.parametrize("event", ["dance", "message.new", "connected", "PING", "", "auth", "x" * 60_000])
async def test_an_unknown_event_is_ignored(server: RunningServer, event: str):
    await ignores(server, json.dumps({"event": event}))


@pytest.mark.clause("frames.bad-field")
@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"event": None},
        {"event": ["ping"]},
        {"event": "subscribe"},
        {"event": "subscribe", "conversation_id": None},
        {"event": "subscribe", "conversation_id": 7},
        {"event": "subscribe", "conversation_id": "general"},
        {"event": "subscribe", "conversation_id": UNKNOWN, "channel": 7},
        {"event": "unsubscribe", "conversation_id": {}},
        {"event": "typing", "conversation_id": UNKNOWN},
        {"event": "typing", "conversation_id": UNKNOWN, "is_typing": "true"},
        {"event": "typing", "conversation_id": UNKNOWN, "is_typing": 1},
        {"event": "presence"},
        {"event": "presence", "status": "asleep"},
    ],
    ids=json.dumps,
)
async def test_a_missing_or_malformed_field_is_ignored(server: RunningServer, frame: dict[str, Any]):
    await ignores(server, json.dumps(frame))


@pytest.mark.clause("frames.binary")
@pytest.mark.parametrize("data", [b"", b'{"event":"ping"}', b"\xff\x00", bytes(65536)], ids=len)
async def test_a_binary_frame_is_ignored(server: RunningServer, data: bytes):
    await ignores(server, data)


HOSTILE_JSON = {
    "lone surrogate": r'{"event":"ping","x":"\ud800"}',
    "lone surrogate as key": r'{"event":"ping","\udfff":1}',
    "lone surrogate as event": r'{"event":"\ud800"}',
    "NaN": '{"event":"ping","x":NaN}',
    "infinity": '{"event":"ping","x":-Infinity}',
    "huge exponent": '{"event":"ping","x":1e999}',
    "5,000 digits": '{"event":"ping","x":' + "7" * 5000 + "}",
    "doubled key": '{"event":"ping","event":"ping"}',
}


@pytest.mark.clause("frames.hostile-json")
@pytest.mark.parametrize("text", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
async def test_json_that_breaks_parsers_is_ignored(server: RunningServer, text: str):
    await ignores(server, text)


@pytest.mark.clause("limit.depth")
@pytest.mark.parametrize("text", ["[" * 32_000, '{"a":' * 12_000, "[" * 32_000 + "]" * 32_000])
async def test_deeply_nested_json_is_ignored(server: RunningServer, text: str):
    await ignores(server, text)


@pytest.mark.clause("limit.depth")
async def test_a_hundred_thousand_brackets_pass_the_size_limit_first():
    async with running_server(max_frame_bytes=1_000_000) as server:
        await ignores(server, "[" * 100_000)
        await ignores(server, "[" * 100_000 + "]" * 100_000)


@pytest.mark.clause("limit.depth")
async def test_thirty_two_levels_are_allowed(server: RunningServer):
    ana = await server.person()
    async with server.connect(ana) as socket:
        await socket.send('{"event":"ping","x":' + "[" * 31 + "]" * 31 + "}")
        assert await socket.hear() == {"event": "pong"}
        await socket.send('{"event":"ping","x":' + "[" * 32 + "]" * 32 + "}")
        assert await socket.hears_nothing()


@pytest.mark.clause("frames.counted")
async def test_each_ignored_frame_is_counted_and_logged(server: RunningServer):
    before = server.dropped("unknown_event")
    ana = await server.person()
    async with server.connect(ana) as socket:
        for _ in range(15):
            await socket.say("dance_of_ana")
        await socket.settle()
    assert server.dropped("unknown_event") == before + 15
    assert "tribe_drops_total{" in (await server.http.get("/metrics")).text
    lines = [json.loads(line) for line in server.log.getvalue().splitlines() if "dance_of_ana" in line]
    assert 1 <= len(lines) <= 15
    assert all(line["violation"] == "unknown_event" for line in lines)


# ── Frames that break RFC 6455 ────────────────────────────────────────────────────────────────────


@pytest.mark.clause("frames.invalid-utf8")
@pytest.mark.parametrize(
    "data", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b'{"a":"\xe2\x82']
)
async def test_invalid_utf8_is_closed_with_1007(server: RunningServer, data: bytes):
    ana, ben = await server.people("ana", "ben")
    async with server.connect(ana) as socket, server.connect(ben) as other:
        await socket.connection.send(data, text=True)
        assert (await socket.end())[0] == 1007
        assert await other.hears_nothing()


@pytest.mark.clause("frames.too-big")
async def test_more_than_64_kib_is_closed_with_1009(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    async with server.connect(ana) as socket, server.connect(ben) as other:
        await socket.send("x" * 65536)
        assert await socket.hears_nothing()
        await socket.send("x" * 65537)
        assert (await socket.end())[0] == 1009
        assert await other.hears_nothing()


@pytest.mark.clause("frames.too-big")
async def test_a_message_in_pieces_counts_as_a_whole(server: RunningServer):
    ana = await server.person()
    async with server.connect(ana) as socket:
        await socket.connection.send(["x" * 40_000, "x" * 40_000])
        assert (await socket.end())[0] == 1009


@pytest.mark.clause("frames.not-json")
@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x04ping",  # not masked
        b"\xf1\x80\x00\x00\x00\x00",  # reserved bits
        b"\x83\x80\x00\x00\x00\x00",  # reserved opcode
        b"\x89\xfe\x00\x7e" + bytes(4) + bytes(126),  # a ping that is too long
        b"\x80\x80\x00\x00\x00\x00",  # a continuation of nothing
        b"\x81\xff" + struct.pack("!Q", 2**63) + bytes(4),  # a length beyond all
        b"\x88\x81\x00\x00\x00\x00\x00",  # a close code of one byte
    ],
    ids=lambda data: data[:2].hex(),
)
async def test_a_frame_that_breaks_the_rfc_harms_nobody_else(server: RunningServer, data: bytes):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as other:
        await other.subscribe(room)
        async with server.connect(ana) as socket:
            socket.connection.transport.write(data)
            async with asyncio.timeout(DEADLINE):
                await socket.connection.wait_closed()
        await server.post(ana, room, "still here")
        await other.hear("message.new")


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /api/v1/ws?token=" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=lambda data: repr(data[:15]) + str(len(data)),
)
async def test_a_request_that_breaks_http_is_dropped_or_refused(server: RunningServer, data: bytes):
    answer = await exchange(server, data)
    assert answer == b"" or answer.split()[1].startswith(b"4"), answer
    assert (await server.http.get("/health")).status_code == 200


# ── Floods ────────────────────────────────────────────────────────────────────────────────────────


async def flood(server: RunningServer, socket: Socket) -> None:
    """Send ten pings more than a window allows, and make sure that just the allowed ones are answered."""
    before = server.dropped("rate_limited")
    for _ in range(310):
        await socket.say("ping")
    assert [(await socket.hear())["event"] for _ in range(300)] == ["pong"] * 300
    await until(lambda: server.dropped("rate_limited") == before + 10)


@pytest.mark.clause("flood.ignored")
async def test_frames_beyond_three_hundred_in_ten_seconds_are_ignored(server: RunningServer):
    ana = await server.person()
    async with server.connect(ana) as socket:
        await flood(server, socket)
        server.clock.advance(10)
        assert await socket.hears_nothing()


@pytest.mark.clause("flood.closed")
async def test_the_third_flooded_window_in_a_row_is_closed_with_4429(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    async with server.connect(ana) as socket, server.connect(ben) as other:
        for _ in range(2):
            await flood(server, socket)
            server.clock.advance(10)
        for _ in range(301):
            await socket.say("ping")
        assert await socket.end() == (4429, "rate_limited")
        assert await other.hears_nothing()


@pytest.mark.clause("flood.off")
async def test_the_limit_can_be_switched_off(fan_out: str):
    async with running_server(fan_out=fan_out, limit_frames=0) as server:
        ana = await server.person()
        async with server.connect(ana) as socket:
            for _ in range(1000):
                await socket.say("ping")
            assert [(await socket.hear())["event"] for _ in range(1000)] == ["pong"] * 1000


# ── Anything at all ───────────────────────────────────────────────────────────────────────────────


def rubble(chance: random.Random, room: str) -> str | bytes:
    """Make one frame that a confused client could send: often almost right, never a ping."""
    frames: list[dict[str, Any]] = [
        {"event": "subscribe", "channel": "conversation", "conversation_id": room},
        {"event": "unsubscribe", "conversation_id": room},
        {"event": "typing", "conversation_id": room, "is_typing": chance.random() < 0.5},
        {"event": "presence", "status": chance.choice(["online", "away", "offline"])},
        {"event": "dance"},
    ]
    frame, damage = chance.choice(frames), chance.randrange(6)
    if damage == 0:
        frame[chance.choice(list(frame))] = chance.choice([None, 7, "", [], {}, "😀", 1e308])
    elif damage == 1:
        del frame[chance.choice(list(frame))]
    text = json.dumps(frame)
    if damage == 2:
        cut = chance.randrange(len(text))
        text = (
            text[:cut] + chance.choice(["", "\\", '"', "}", "\x00", "é", "[[[", r"\ud800"]) + text[cut + 1 :]
        )
    return text.encode() if damage == 3 else text


@pytest.mark.clause("frames.bad-field", "frames.not-json")
@pytest.mark.parametrize("seed", range(5))
async def test_whatever_a_confused_client_sends_the_connection_lives_on(server: RunningServer, seed: int):
    chance = random.Random(seed)
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as confused, server.connect(ben) as other:
        await other.subscribe(room)
        for _ in range(2):
            for _ in range(250):
                await confused.send(rubble(chance, room))
            await confused.settle()
            server.clock.advance(10)
        await confused.say("unsubscribe", conversation_id=room)
        await confused.settle()
        await confused.subscribe(room)
        await server.post(ben, room, "are you well?")
        assert (await confused.skip_to("message.new"))["data"]["content"] == "are you well?"
        await server.post(ana, room, "now I am")
        assert (await other.skip_to("message.new"))["data"]["content"] == "now I am"


# ── REST ──────────────────────────────────────────────────────────────────────────────────────────

HOSTILE_BODIES = {
    **{name: text.encode() for name, text in HOSTILE_JSON.items()},
    "lone surrogate in content": rb'{"content":"\ud800"}',
    "NaN as content": b'{"content":NaN}',
    "100,000 brackets": b"[" * 100_000,
    "deep content": b'{"content":' * 30_000,
    "not UTF-8": b'{"content":"\xff"}',
    "UTF-8 surrogate": b'{"content":"\xed\xa0\x80"}',
    "UTF-16": '{"content":"x"}'.encode("utf-16"),
    "empty": b"",
    "not JSON": b"content=x",
    "array": b"[]",
    "null": b"null",
}


@pytest.mark.clause("rest.hostile-json", "messages.unstorable", "rest.validation")
@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
@pytest.mark.parametrize("path", ["/conversations/{}/messages", "/conversations", "/users/me"])
async def test_a_hostile_body_gets_422(server: RunningServer, body: bytes, path: str):
    ana = await server.person()
    room = await server.group(ana)
    method = "PUT" if path == "/users/me" else "POST"
    answer = await server.request(ana, method, path.format(room), content=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"] == "Validation error"
    assert set(answer.json()["errors"][0]) == {"field", "message"}


@pytest.mark.clause("rest.hostile-json")
@pytest.mark.parametrize("path", ["register", "login", "refresh"])
@pytest.mark.parametrize("body", [rb'{"email":"\ud800","password":"\ud800"}', b"[" * 100_000, b"{}", b"\xff"])
async def test_a_hostile_body_without_a_token_gets_422(server: RunningServer, body: bytes, path: str):
    answer = await server.http.post(f"/api/v1/auth/{path}", content=body)
    assert answer.status_code == 422, answer.text


@pytest.mark.clause("rest.hostile-json")
@pytest.mark.parametrize(
    "path",
    [
        "/conversations/%00",
        "/conversations/%ff%fe/messages",
        "/conversations/..%2f..%2fetc/messages",
        "/users/%F0%9F%98%80",
        "/conversations?page=0",
        "/conversations?page=99999999999999999999",
        "/conversations?limit=-1",
        "/conversations?page=x",
        "/search/users?q=%00",
        "/search/users?q=%ff",
        "/search/users?q=" + "x" * 5000,
        f"/conversations/{UNKNOWN}/messages?before=x",
    ],
)
async def test_a_hostile_path_or_query_gets_an_answer(server: RunningServer, path: str):
    ana = await server.person()
    answer = await server.request(ana, "GET", path)
    assert answer.status_code in (200, 404, 422), answer.text


@pytest.mark.clause("rest.hostile-json")
async def test_a_body_beyond_the_limit_gets_413(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    content = b'{"content":"' + b"x" * 1_100_000 + b'"}'
    answer = await server.request(ana, "POST", f"/conversations/{room}/messages", content=content)
    assert answer.status_code == 413
