"""A scenario against a real server: what passes, what fails and when, and that nothing is left behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.scenario.staging import run, target_of
from tribe_ws.client.control import ControlClient
from tribe_ws.clock import SystemClock
from tribe_ws.errors import AuthenticationError
from tribe_ws.scenario.language.loading import load_scenario, parse_scenario
from tribe_ws.scenario.running.inbox import Inbox
from tribe_ws.scenario.running.runner import run_scenario
from tribe_ws.scenario.running.stage import Stage
from tribe_ws.server.local import LocalServer, local_settings


def passed(result):
    assert result.status == "passed", result
    return result


def failure(result):
    assert result.status == "failed", result
    return result.failure


async def test_a_conversation_of_two_passes(server):
    result = passed(
        await run(
            server,
            """\
            steps:
              - bob: {subscribe: team}
              - alice: {send: Hello, to: team, status: 201, capture: {id: id}}
              - bob: {expect: message.new, from: alice, in: team, data: {id: "${{ id }}", content: Hello}}
              - alice: {typing: on, in: team}
              - bob: {expect: typing, data: {is_typing: true}}
              - bob: [ping, {presence: online}, {read: team}]
              - bob: {unsubscribe: team}
              - bob: ping
              - alice: {send: Unheard, to: team}
              - bob: {never: message.new, for: 100ms}
              - wait: 10ms
            """,
        )
    )
    assert result.steps_taken == 13
    assert [step.ok for step in result.steps] == [True] * 13
    assert result.failure is None
    assert result.logs == ()


@pytest.mark.parametrize(
    "step",
    [
        "bob: {expect: message.new, within: 300ms}",
        "bob: {expect: [pong, {event: connected}], count: 3, in_order: true, within: 300ms}",
        "bob: {expect: {closed: 4401}, within: 300ms}",
    ],
)
async def test_a_wrong_expectation_fails_in_the_time_it_states(server, step):
    steps = f"steps:\n  - bob: {{subscribe: team}}\n  - {step}\n"
    result = await run(server, steps)
    said = failure(result)
    assert said.waited == pytest.approx(0.3, abs=0.25)
    assert said.waited >= 0.3
    assert (said.place.path, said.place.line) == ("test.yaml", 6)
    assert "300 ms" in said.problem


async def test_a_failure_shows_the_nearest_frame_the_difference_and_everybodys_last_frames(server):
    result = await run(
        server,
        """\
        steps:
          - bob: {subscribe: team}
          - alice: {send: Helo, to: team}
          - bob: {expect: message.new, in: team, from: alice, data: {content: Hello}, within: 200ms}
        """,
    )
    said = failure(result)
    assert said.nearest.frame["data"]["content"] == "Helo"
    assert said.details == ('data.content  wanted "Hello"', '                 got "Helo"')
    assert "message.new 1×" in said.problem
    assert said.step.startswith("bob: {expect: message.new")
    logs = {log.actor: log for log in result.logs}
    assert [record.event for record in logs["bob"].records] == [
        "connected",
        "subscribe",
        "subscribed",
        "message.new",
    ]
    assert [record.status for record in logs["alice"].records] == [201]
    assert "team" in logs["alice"].records[0].event, "ids are named"


async def test_a_frame_that_an_earlier_step_took_is_named_as_the_nearest(server):
    result = await run(
        server,
        """\
        steps:
          - bob: {subscribe: team}
          - alice: {send: Hello, to: team}
          - bob: {expect: message.new}
          - bob: {expect: {event: message.new, data: {content: Hello}}, within: 100ms}
        """,
    )
    said = failure(result)
    assert said.nearest.frame["data"]["content"] == "Hello"
    assert "test.yaml:7:" in said.hint


async def test_the_end_of_the_connection_fails_an_expectation_at_once(own_server):
    result = await run(
        own_server,
        """\
        steps:
          - bob: {subscribe: team}
          - server: {disconnect: bob, code: 4403, reason: gone}
          - bob: {expect: message.new, within: 10m}
        """,
        steered=True,
    )
    assert '4403 "gone"' in failure(result).problem
    assert result.seconds < 60


async def test_never_sees_what_came_before_and_what_comes_meanwhile(server):
    before = await run(
        server,
        """\
        steps:
          - bob: {subscribe: team}
          - alice: {send: Hello, to: team}
          - bob: {expect: {event: message.new}, capture: {id: data.id}}
          - alice: {send: Again, to: team}
          - bob: ping
          - bob: {never: message.new, for: 10m}
        """,
    )
    assert failure(before).nearest.frame["data"]["content"] == "Again"
    assert before.seconds < 60
    meanwhile = await run(
        server,
        """\
        steps:
          - bob: {subscribe: team}
          - parallel:
              - bob: {never: message.new, for: 10m}
              - [wait: 50ms, alice: {send: Now, to: team}]
        """,
    )
    assert "branch 1 of 2" in failure(meanwhile).trail[0]


async def test_silence_of_a_connection_that_the_server_ended_proves_nothing(own_server):
    result = await run(
        own_server,
        """\
        steps:
          - bob: {subscribe: team}
          - server: {disconnect: bob}
          - bob: {never: message.new, for: 10m}
        """,
        steered=True,
    )
    assert "proves nothing" in failure(result).problem
    fine = "steps:\n  - bob: [ping, disconnect]\n  - bob: {never: message.new, for: 10m}\n"
    passed(await run(own_server, fine))


async def test_a_connection_stays_open_or_the_step_fails(own_server):
    passed(await run(own_server, "steps: [{bob: ping}, {bob: {never: closed, for: 100ms}}]"))
    steps = "steps: [{bob: ping}, {server: {disconnect: bob}}, {bob: {never: closed, for: 10m}}]"
    assert "was to stay open" in failure(await run(own_server, steps, steered=True)).problem


async def test_the_first_failing_branch_stops_the_others(server):
    result = await run(
        server,
        """\
        steps:
          - parallel:
              - wait: 10m
              - bob: {expect: pong, within: 100ms}
        """,
    )
    assert failure(result).place.line == 7
    assert result.seconds < 60


async def test_repeats_count_and_captures_reach_the_steps_after_them(server):
    passed(
        await run(
            server,
            """\
            steps:
              - bob: {subscribe: team}
              - repeat: 3
                as: n
                steps:
                  - alice: {send: "No. ${{ n }}", to: team, capture: {last: content}}
              - bob:
                  expect:
                    - {data: {content: No. 1}}
                    - {data: {content: No. 2}}
                    - {data: {content: "${{ last }}"}}
                  in_order: true
                  capture: {texts: "[].data.content"}
              - alice: {send: "${{ texts[2] }}", to: team, answer: {content: No. 3}}
            """,
        )
    )


async def test_a_failure_within_a_repeat_says_in_which_turn(server):
    result = await run(
        server,
        """\
        steps:
          - repeat: 3
            as: n
            steps:
              - alice: {rest: GET /auth/me, answer: {username: {$any_of: [{$length: 5}]}}}
              - alice: {rest: GET /health, status: {$range: [200, 200]}, answer: {version: "${{ n }}"}}
        """,
    )
    assert failure(result).trail == ("time 1 of 3 (test.yaml:5:5)",)


async def test_an_included_file_sees_its_own_variables(server, tmp_path):
    (tmp_path / "_greet.yaml").write_text(
        "name: Greeting\nvariables: {words: nothing}\nsteps:\n"
        '  - alice: {send: "${{ words }}", to: team}\n'
        '  - bob: {expect: message.new, data: {content: "${{ words }}!"}, within: 50ms}\n'
    )
    (tmp_path / "main.yaml").write_text(
        "name: Main\nactors: [alice, bob]\nconversations: {team: [alice, bob]}\nsteps:\n"
        "  - bob: {subscribe: team}\n  - {include: _greet.yaml, with: {words: Ahoy}}\n"
    )
    result = await run_scenario(load_scenario(tmp_path / "main.yaml"), target_of(server))
    said = failure(result)
    assert said.place.path.endswith("_greet.yaml")
    assert said.trail[0].startswith("_greet.yaml, included at")
    assert said.details == ('data.content  wanted "Ahoy!"', '                 got "Ahoy"')


async def test_the_whole_scenario_has_its_time(server):
    result = await run(
        server,
        """\
        name: Slow
        timeout: 300ms
        actors: [alice]
        steps:
          - alice: {expect: pong, within: 10m}
        """,
    )
    said = failure(result)
    assert (said.place.line, said.waited) == (5, 0.3)
    assert 0.3 <= result.seconds < 60


async def test_nothing_is_left_behind_whatever_happened(own_server):
    await run(
        own_server,
        """\
        steps:
          - bob: {subscribe: team}
          - alice: {subscribe: team}
          - server: {fault: drop @bob}
          - bob: {expect: pong, within: 50ms}
        """,
        steered=True,
    )

    await until(lambda: own_server.services.hub.connection_count == 0, own_server)
    async with ControlClient(own_server.address, own_server.control_key) as control:
        assert await control.faults() == []
    team = [one for one in await conversations_of(own_server, "alice") if one.name == "Test: team"]
    assert team == [], "whoever took part has left"


async def until(condition, server):
    """Wait until something holds in the server."""
    async with asyncio.timeout(30):
        while not server.call(condition):  # noqa: ASYNC110 - another thread's state has no event
            await asyncio.sleep(0.01)


async def conversations_of(server, username):
    account = await target_of(server).log_in(username, None)
    async with account.rest:
        return await account.rest.all_conversations()


async def test_a_throw_away_server_is_not_tidied(own_server):
    text = "name: Test\nactors: [alice, bob]\nconversations: {team: [alice, bob]}\nsteps: [{alice: ping}]"
    target = target_of(own_server, is_throw_away=True)
    passed(await run_scenario(parse_scenario(text), target))
    assert "Test: team" in {one.name for one in await conversations_of(own_server, "alice")}


async def test_being_cancelled_closes_everything(own_server):
    running = asyncio.ensure_future(
        run(own_server, "steps: [{bob: {subscribe: team}}, {bob: {expect: pong, within: 10m}}]")
    )

    await until(lambda: own_server.services.hub.subscription_count == 1, own_server)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: own_server.services.hub.connection_count == 0, own_server)


async def test_who_cannot_log_in_is_named_and_nothing_is_run(server):
    result = await run(
        server, "name: Test\nactors: {alice: {user: alice, password: wrong}}\nsteps: [{alice: ping}]"
    )
    assert result.status == "error"
    assert isinstance(result.error, AuthenticationError)
    assert "test.yaml:2:10: alice cannot log in as alice" in str(result.error)
    assert result.steps_taken == 0


async def test_a_scenario_that_steers_the_server_is_left_out_where_it_cannot(server):
    result = await run(server, "steps: [{server: {advance: 1m}}, {alice: ping}]")
    assert result.status == "skipped"
    assert "control API" in result.reason


async def test_a_conversation_can_be_one_that_is_there(server):
    text = "name: Test\nactors: [alice, bob]\nconversations: {all: general}\nsteps: [{bob: {subscribe: %s}}]"
    for name in ("all", "general", "'#general'", "'@alice'", '"${{ conversations.all }}"'):
        passed(await run(server, text % name))
    assert "no conversation" in failure(await run(server, text % "nowhere")).problem
    missing = await run(server, text.replace("general", "nowhere") % "all")
    assert missing.status == "error"


async def test_a_direct_conversation_and_a_fresh_account(server):
    passed(
        await run(
            server,
            """\
            name: Test
            actors: {alice: , nora: {register: true}}
            conversations: {pair: {direct: [nora, alice]}}
            steps:
              - nora: {rest: GET /auth/me, answer: {username: {$regex: "^nora_[0-9a-f]+$"}}}
              - alice: {subscribe: pair}
              - nora: {send: "I am ${{ nora.username }}", to: pair}
              - alice: {expect: message.new, from: nora, data: {content: "I am ${{ nora.username }}"}}
            """,
        )
    )


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("alice: {send: '', to: team}", "answered 422"),
        ("alice: {rest: GET /conversations/nonsense, status: 200}", "answered"),
        ("alice: {rest: GET /auth/me, answer: {username: bob}}", "not as wanted"),
        ("alice: {rest: GET /auth/me, token: false}", "answered 401"),
        ("alice: {send: Hi, to: team, capture: {x: nowhere}}", "captured"),
        ("alice: {ping: , answer: {event: pang}}", "not as wanted"),
        ("alice: {connect: , profile: v2, answer: {data: {user: {username: bob}}}}", "not as wanted"),
    ],
)
async def test_an_answer_that_is_not_as_wanted_fails_the_step(server, step, problem):
    said = failure(await run(server, f"steps:\n  - {step}\n"))
    assert problem in said.problem
    assert said.place.line == 5


async def test_missing_pieces_of_the_environment_and_of_captures_are_told(server):
    step = "{alice: {send: '${{ env.SECRET }}', to: general}}"
    text = f"name: Test\nenv: [SECRET]\nactors: [alice]\nsteps: [{step}]"
    assert "SECRET" in str((await run(server, text)).error)
    passed(await run(server, text, environ={"SECRET": "hush"}))
    unknown = await run(server, "steps: [{alice: {send: '${{ nobody.id }}', to: team}}]")
    assert "nobody" in failure(unknown).problem


async def test_no_secret_gets_into_a_report(server):
    result = await run(
        server,
        """\
        steps:
          - alice: {rest: POST /auth/login, body: {email: alice@tribe.test, password: Tribe-demo-1}}
          - alice: {raw: '{"event":"auth","token":"eyJabc.def.ghi"}'}
          - alice: {expect: pong, within: 10ms}
        """,
    )
    told = repr(result)
    assert "eyJ" not in told
    assert "Tribe-demo-1" not in told
    assert "alice@tribe.test" not in told


async def test_broken_frames_go_out_as_they_stand(server):
    result = await run(
        server,
        """\
        steps:
          - alice: {raw: "not json"}
          - alice: {raw: {event: subscribe, conversation_id: 7}}
          - alice: {raw: "\\u0001\\u0002", binary: true}
          - alice: ping
          - alice: {expect: error, within: 10ms}
        """,
    )
    (log,) = result.logs
    assert [record.text for record in log.records if record.direction == "out"][:2] == [
        "not json",
        '{"event":"subscribe","conversation_id":7}',
    ]
    assert "2 bytes, binary" in "".join(record.text for record in log.records)


async def test_refusals_are_seen_as_ends_whatever_their_form(own_server):
    steps = """\
        steps:
          - alice: {connect: , token: none}
          - alice: {expect: {closed: %s}}
          - bob: {connect: , token: {text: nonsense}}
          - bob: {expect: {closed: %s}, capture: {why: reason}}
        """
    passed(await run(own_server, steps % (4401, 4401)))
    with LocalServer(local_settings(reject="http")) as server:
        passed(await run(server, steps % (401, 401)))
        said = failure(await run(server, "steps: [{alice: {connect: , token: {text: x}}}, {alice: ping}]"))
        assert "401" in said.problem


async def test_own_tokens_are_renewed_for_a_new_connection_but_not_for_a_bare_call(own_server):
    passed(
        await run(
            own_server,
            """\
            steps:
              - alice: {subscribe: team}
              - server: {advance: 61m}
              - alice: {expect: {closed: 4401, reason: token_expired}}
              - alice: {rest: GET /auth/me, status: 401}
              - alice: reconnect
              - alice: {rest: GET /auth/me}
              - server: {advance: 61m}
              - bob: {send: Hello, to: team}
            """,
            steered=True,
        )
    )


async def test_a_v2_connection_resumes_where_it_was(own_server):
    passed(
        await run(
            own_server,
            """\
            name: Test
            profile: v2
            actors: [alice, bob]
            conversations: {team: [alice, bob]}
            steps:
              - bob: {subscribe: team, answer: {data: {seq: 0}}}
              - alice: {send: One, to: team}
              - bob: {expect: message.new, data: {seq: 1}}
              - bob: {disconnect: , abrupt: true}
              - alice: {send: Two, to: team}
              - bob: {reconnect: , resume: true}
              - bob: {expect: message.new, data: {content: Two, seq: 2}}
              - bob: {unsubscribe: team, answer: {data: {reason: requested}}}
            """,
        )
    )


async def test_sending_over_a_closed_connection_says_how_it_ended(server):
    assert "1000" in failure(await run(server, "steps: [{bob: [ping, disconnect, ping]}]")).problem
    closed = "steps: [{bob: [ping, disconnect, {expect: closed}]}]"
    assert "an earlier step did" in failure(await run(server, closed)).problem


async def test_too_many_unclaimed_frames_fail_the_step_that_would_miss_them(server, monkeypatch):
    monkeypatch.setattr(Inbox.__init__, "__defaults__", (3,))
    result = await run(
        server,
        """\
        steps:
          - bob: {subscribe: team}
          - repeat: 5
            steps: [{alice: {send: Hello, to: team}}]
          - bob: ping
          - bob: {never: typing, for: 10ms}
        """,
    )
    assert "forget" in failure(result).hint


async def test_a_stage_that_was_never_made_ready_is_taken_down(server):
    scenario = parse_scenario("name: Test\nactors: [alice]\nsteps: [{alice: ping}]")
    await Stage(replace(scenario, timeout=1.0), target_of(server), SystemClock()).take_down()


async def test_the_rarer_words_of_the_language_do_what_they_say(own_server):
    passed(
        await run(
            own_server,
            """\
            name: Test
            actors: [alice, bob]
            conversations: {team: [alice, bob], plans: [alice, bob]}
            steps:
              - bob: {subscribe: [team, plans]}
              - bob: {subscribe: team, confirmed: false}
              - bob: {expect: subscribed}
              - alice: {send: One, to: team, type: text, key: k1, client_message_id: c1, capture: {id: id}}
              - alice: {send: One, to: team, type: text, key: k1, client_message_id: c1, status: 200}
              - alice: {send: Two, to: team, reply_to: "${{ id }}"}
              - bob: {expect: message.new, data: {content: Two}}
              - bob: forget
              - bob: {never: message.new, for: 10ms}
              - server: {fault: "delay 10ms @bob"}
              - server: clear_faults
              - server: {disconnect: bob, code: 4403, reason: gone}
              - bob: {expect: {closed: 4403}, capture: {why: reason}}
              - alice: {send: "${{ why }}", to: team, answer: {content: gone}}
              - bob: {reconnect: , token: {text: nonsense}}
              - bob: {expect: {closed: 4401}}
            """,
            steered=True,
        )
    )


async def test_a_connection_over_which_one_may_write_at_once_needs_no_connected_frame_first(server):
    account = await target_of(server).log_in("alice", None)
    async with account.rest:
        token = (await account.rest.refresh()).access_token
    text = 'name: Test\nvariables: {good: ""}\nactors: [alice]\nsteps:\n'
    text += '  - alice: {connect: , token: {text: "${{ good }}"}}\n'
    text += "  - alice: ping\n  - alice: {expect: connected}\n"
    scenario = parse_scenario(text, variables={"good": token})
    passed(await run_scenario(scenario, target_of(server)))
