"""A scenario made of a capture: it loads, lints clean, and happens again on a fresh server."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tribe_ws.capture.record import Record
from tribe_ws.capture.tap import TapReader
from tribe_ws.client.control import ControlClient
from tribe_ws.errors import ConfigurationError
from tribe_ws.scenario.language.loading import parse_scenario
from tribe_ws.scenario.linting.linter import lint
from tribe_ws.scenario.model import Send
from tribe_ws.scenario.retelling.from_capture import scenario_of
from tribe_ws.scenario.running.accounts import Target, as_demo_users
from tribe_ws.scenario.running.runner import run_scenario
from tribe_ws.server.local import LocalServer, local_settings

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
TEAM = "7b25f672-2ae0-56a2-a264-7f656e1c1c68"
ONE = "01a20762-c330-7aa6-b0af-4e6a3a0c7c01"
EXPECTED = (
    '  - bob: {expect: message.new, in: general, from: alice, data: {id: "${{ message_1 }}", '
    "content: Hello, created_at: $time}}"
)


def record(direction, event, as_user="bob", *, after=0.0, data=None, **changes):
    frame = {"event": event, "conversation_id": TEAM} | ({} if data is None else {"data": data})
    values = {
        "seq": 1,
        "at": NOW + timedelta(seconds=after),
        "direction": direction,
        "event": event,
        "frame": frame,
        "as_user": as_user,
        "conversation_id": TEAM,
        "conversation": "general",
    }
    return Record(**(values | changes))


def message(content="Hello", sender="alice", message_id=ONE, **changes):
    data = {
        "id": message_id,
        "conversation_id": TEAM,
        "sender": {"id": f"id of {sender}", "username": sender},
        "content": content,
        "message_type": changes.pop("message_type", "text"),
        "created_at": "2026-11-23T12:00:00.000Z",
    }
    return record("in", "message.new", data=data, sender=sender, **changes)


def posted(content="Hello", sender="alice", message_id=ONE, **changes):
    answer = {"id": message_id, "content": content}
    return record(
        "rest", "POST message", sender, text=content, method="POST", request={"content": content},
        **({"frame": answer, "status": 201} | changes),
    )  # fmt: skip


def connected(user="bob", **changes):
    return record("in", "connected", user, conversation_id=None, conversation="", **changes)


def subscribed(user="bob", **changes):
    return [record("out", "subscribe", user, **changes), record("in", "subscribed", user, **changes)]


def steps_of(*records):
    text = scenario_of(records, name="It")
    scenario = parse_scenario(text)
    assert lint(scenario) == (), text
    return text[text.index("steps:\n") + 7 :].splitlines()


def test_what_came_becomes_an_expectation_and_ids_become_names():
    assert steps_of(connected(), *subscribed(), posted(), message()) == [
        "  - bob: connect",
        "  - bob: {subscribe: general}",
        "  - alice: {send: Hello, to: general, capture: {message_1: id}}",
        EXPECTED,
    ]


def test_cause_comes_before_its_effect_though_its_answer_came_later():
    late = posted(after=0.5, latency=0.6)
    assert [line.split()[1] for line in steps_of(connected(), *subscribed(), message(after=0.1), late)] == [
        "alice:", "bob:", "bob:", "bob:"
    ]  # fmt: skip
    unknown = posted(after=0.5)
    assert steps_of(connected(), *subscribed(), message(after=0.1), unknown)[2].startswith(
        "  - alice: {send: Hello"
    )


def test_people_who_were_only_heard_act_too():
    steps = steps_of(
        *subscribed(),
        record("in", "typing", data={"user_id": "x", "is_typing": True}, sender="alice"),
        record("in", "typing", data={"user_id": "x", "is_typing": False}, sender="alice"),
        message(),
    )
    assert [line.strip(" -").partition(",")[0] for line in steps] == [
        "bob: {subscribe: general}",
        "alice: connect",
        "alice: {typing: on",
        "bob: {expect: typing",
        "alice: {typing: off",
        "bob: {expect: typing",
        "alice: {send: Hello",
        "bob: {expect: message.new",
    ]


def test_presence_and_reads_of_people_who_were_only_heard():
    online = {"user_id": "x", "is_online": True, "status": "online"}
    text = scenario_of(
        [
            connected(),
            record("in", "presence", data=online, sender="alice"),
            record("in", "presence", data=online | {"status": "away"}, sender="alice"),
            record("in", "message.read", data={"user_id": "x", "read_at": "1"}, sender="alice"),
            record("in", "message.read", data={"user_id": "x", "read_at": "1"}, sender="alice"),
            record("in", "presence", data=online | {"is_online": False}, sender="alice", after=4.0),
            record("in", "presence", data=online, sender="alice", after=5.0),
        ],
        name="It",
    )
    assert lint(parse_scenario(text)) == ()
    assert "profile: app" in text
    deeds = [line.strip(" -") for line in text.splitlines() if line.startswith("  - alice")]
    assert deeds == [
        "alice: connect", "alice: {presence: away}", "alice: {read: general}", "alice: disconnect",
        "alice: {reconnect: }",
    ]  # fmt: skip
    assert "within: 10s" in text


def test_connections_of_one_user_are_told_apart_and_a_later_one_is_a_reconnect():
    steps = steps_of(
        connected(connection="1"),
        connected(connection="2"),
        record("out", "ping", connection="1"),
        record("out", "ping", connection="1"),
        record("in", "pong", connection="1"),
        record("out", "ping", connection="2"),
        connected(connection="3"),
        *subscribed(connection="3"),
    )
    assert [line.strip(" -") for line in steps] == [
        "bob: connect",
        "bob.c2: connect",
        "bob: ping",
        "bob.c2: ping",
        "bob: {reconnect: , resubscribe: false}",
        "bob: {subscribe: general}",
        "bob: {never: closed, for: 200ms}",
    ]


def test_one_who_left_is_disconnected_before_others_see_them_go():
    gone = {"user_id": "x", "is_online": False, "status": "offline"}
    steps = steps_of(
        connected(),
        connected("alice"),
        record("out", "presence", "alice", frame={"event": "presence", "status": "away"}),
        record("in", "presence", data=gone, sender="alice", after=3.0),
    )
    assert [line.strip(" -").partition(",")[0] for line in steps[2:]] == [
        "alice: {presence: away}", "alice: disconnect", "bob: {expect: presence",
    ]  # fmt: skip


def test_typing_of_the_same_state_waits_until_it_counts_again():
    typing = {"event": "typing", "conversation_id": TEAM, "is_typing": True}
    steps = steps_of(
        connected(), record("out", "typing", frame=typing), record("out", "typing", frame=typing)
    )
    assert steps[2] == "  - wait: 1100ms"


def test_refused_calls_and_subscriptions_are_refused_again():
    steps = steps_of(
        connected("alice"),
        *subscribed("alice"),
        connected("dan"),
        record("out", "subscribe", "dan"),
        posted("Hi", "dan", status=403, frame={"detail": "Access denied"}),
        record("rest", "POST read", "alice", status=200),
        record("in", "pong", "alice"),
    )
    assert steps[-3:] == [
        "  - dan: {subscribe: general, confirmed: false}",
        "  - dan: {send: Hi, to: general, status: 403}",
        "  - alice: {read: general}",
    ]


def test_what_cannot_be_told_again_is_left_out_and_counted():
    text = scenario_of(
        [
            connected(),
            *subscribed(),
            message(sender="bob"),
            message(message_id="old", tags=frozenset({"gap"})),
            record("in", "mystery"),
            record("in", "typing", data={"is_typing": True}),
            record("out", "auth", frame={"event": "auth", "token": "***"}),
            record("out", "raw", frame=None, text="{"),
            record("rest", "POST participants", "bob"),
            record("rest", "GET conversations", "bob", method="GET"),
            record("rest", "POST message", ""),
            record("note", "closed", text="1006"),
        ],
        name="It",
        source="an evening\n# of chat",
    )
    assert text.splitlines()[:8] == [
        "# Made of an evening?# of chat.",
        "# Left out: 1 × REST call POST participants",
        "# Left out: 1 × REST call of nobody in particular",
        "# Left out: 1 × frame sent: auth",
        "# Left out: 1 × frame sent: raw",
        "# Left out: 1 × frame that no profile knows: mystery",
        "# Left out: 1 × message fetched after a gap",
        "# Left out: 1 × own message.new, which the contract never sends",
    ]
    assert "# Left out: 1 × typing of somebody unknown" in text


def test_names_are_made_fit_for_a_scenario():
    text = scenario_of(
        [
            connected("7up"),
            *subscribed("7up", conversation="Q3 plans & more"),
            message(sender="server", as_user="7up", conversation="Q3 plans & more"),
        ],
        name="It",
    )
    scenario = parse_scenario(text)
    assert lint(scenario) == ()
    assert {name: actor.user for name, actor in scenario.actors.items()} == {
        "_7up": "7up",
        "server_2": "server",
    }
    assert list(scenario.conversations) == ["Q3_plans_more"]


def test_direct_conversation_stays_one():
    text = scenario_of([*subscribed(conversation="alice"), message(conversation="alice")], name="It")
    assert "alice: {direct: [bob, alice]}" in text
    parse_scenario(text)


def test_echo_is_asked_for_again():
    echo = {"event": "subscribe", "conversation_id": TEAM, "echo": True}
    text = scenario_of(
        [record("out", "subscribe", frame=echo), record("in", "subscribed"), message(sender="bob")], name="It"
    )
    assert "profile: v2" in text
    assert "bob: {subscribe: general, echo: true}" in text
    assert "bob: {expect: message.new, in: general, from: bob" in text
    assert lint(parse_scenario(text)) == ()


def test_error_frame_is_expected_by_its_code():
    text = scenario_of([connected(), record("in", "error", data={"code": "not_found"})], name="It")
    assert "expect: error, in: general, data: {code: not_found}" in text


def test_capture_of_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="nothing that could be done again"):
        scenario_of([record("note", "closed")], name="It")


def test_capture_of_too_much_is_refused():
    with pytest.raises(ConfigurationError, match="more than 5,000 steps"):
        scenario_of([posted(message_id=str(number)) for number in range(5002)], name="It")


CONTENTS = st.text(max_size=12) | st.sampled_from(
    ["$uuid", "${{ x }}", "$${{", "null", "5", "a: b", "#", "\u2028", "\ud800"]
)


@given(st.lists(CONTENTS, min_size=1, max_size=4), st.text(max_size=8), st.text(min_size=1, max_size=8))
@settings(max_examples=60)
def test_any_content_and_any_name_come_back_to_the_letter(contents, room, title):
    records = [connected(), *subscribed(conversation=room)]
    for number, content in enumerate(contents):
        records += [
            posted(content, message_id=str(number)),
            message(content, message_id=str(number), conversation=room),
        ]
    scenario = parse_scenario(scenario_of(records, name=title))
    sent = [step.content for step in scenario.steps if isinstance(step, Send)]
    assert sent == contents
    assert [finding for finding in lint(scenario) if finding.severity == "error"] == []


EVENING = """
name: An evening
profile: {profile}
actors: [alice, bob, bob.phone, cara]
conversations: {{team: [alice, bob, cara], two: {{direct: [alice, bob]}}}}
steps:
  - alice: connect
  - bob: [connect, {{subscribe: [team, two]}}]
  - bob.phone: [connect, {{subscribe: team}}]
  - alice: {{subscribe: team}}
  - alice: {{typing: on, in: team}}
  - bob: {{expect: typing, from: alice, in: team}}
  - alice: {{send: "Hello $${{{{ x }}}}", to: team, capture: {{m: id}}}}
  - bob: {{expect: message.new, in: team, data: {{id: "${{{{ m }}}}"}}}}
  - bob.phone: {{expect: message.new, in: team, data: {{id: "${{{{ m }}}}"}}}}
  - bob: {{send: $uuid, to: team}}
  - alice: {{expect: message.new, in: team, from: bob}}
  - alice: {{send: psst, to: two}}
  - bob: {{expect: message.new, in: two}}
  - bob: {{read: team}}
  - alice: ping
  - bob.phone: disconnect
  - bob: reconnect
  - alice: {{send: again, to: team}}
  - bob: {{expect: message.new, in: team, data: {{content: again}}}}
"""


async def played(text, profile):
    """Run a scenario on a fresh server; gives what came of it and what the server's tap told meanwhile."""
    with LocalServer(local_settings(profile=profile, control=True)) as server:
        control = ControlClient(server.address, server.control_key)
        lines, is_watching = [], asyncio.Event()

        async def watch():
            async for line in control.events():
                lines.append(line)
                is_watching.set()

        watcher = asyncio.create_task(watch())
        await asyncio.wait_for(is_watching.wait(), 20)
        result = await run_scenario(
            parse_scenario(text), Target(server.address, as_demo_users(server.address), control)
        )
        await until_closed(lines)
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher
        await control.close()
    return result, lines


async def until_closed(lines):
    """Wait until every connection that was opened is closed, as the tap tells."""
    async with asyncio.timeout(20):
        while count(lines, "opened") > count(lines, "closed"):  # noqa: ASYNC110 - the lines come from elsewhere
            await asyncio.sleep(0.01)


def count(lines, event):
    return sum(line.get("event") == event for line in lines)


@pytest.mark.parametrize("profile", ["documented", "app"])
async def test_recorded_evening_happens_again_on_a_fresh_server(profile):
    first, lines = await played(EVENING.format(profile=profile), profile)
    assert first.status == "passed", first.failure
    reader = TapReader()
    records = [one for line in lines for one in reader.records_of(line)]
    text = scenario_of(records, name="Again", source="evening.ndjson")
    assert lint(parse_scenario(text)) == ()
    again, _lines = await played(text, profile)
    assert again.status == "passed", f"{again.failure}\n{text}"
    assert sum(step.verb == "expect" for step in parse_scenario(text).steps) >= 9
