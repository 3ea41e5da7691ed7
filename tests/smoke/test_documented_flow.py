"""The documented testing flow by command line: serve, login, watch, send, stop, and the exit codes."""

from __future__ import annotations

import json
import signal

import pytest


def test_ready_file_tells_where_the_server_is(server):
    assert server.ready["url"].startswith("http://127.0.0.1:")
    assert server.ready["ws_url"] == server.ready["url"].replace("http", "ws", 1) + "/api/v1/ws"
    assert server.ready["pid"] == server.process.pid


def test_login_keeps_a_token_that_whoami_shows(server, person):
    login = person.run("login", "alice@tribe.test", "--password-stdin", stdin="Tribe-demo-1\n")
    assert login.returncode == 0, login.stderr
    whoami = person.run("whoami", "--json")
    assert whoami.returncode == 0, whoami.stderr
    assert "alice" in whoami.stdout
    assert "eyJ" not in login.stdout + login.stderr + whoami.stdout + whoami.stderr


def test_message_sent_by_rest_arrives_at_the_subscriber(server, person):
    watch = person.start(
        "watch", "general", "--as", "bob", "--json", "--until", "event:message.new", "--for", "30s"
    )
    watch.wait_for("subscribed #general")
    sent = person.run("send", "general", "Hello", "--as", "alice")
    assert sent.returncode == 0, sent.stderr
    assert watch.exit_code() == 0, watch.everything()
    frames = [json.loads(line)["frame"] for line in watch.stdout]
    message = next(frame for frame in frames if frame["event"] == "message.new")
    assert message["data"]["content"] == "Hello"
    assert message["data"]["sender"]["username"] == "alice"


def test_send_waits_for_the_delivery(server, person):
    sent = person.run("send", "general", "CI?", "--as", "alice", "--wait-delivery", "bob")
    assert sent.returncode == 0, sent.stderr
    assert "bob" in sent.stdout + sent.stderr


def test_ping_gets_its_pong(server, person):
    ping = person.run("ping", "--as", "bob", "-c", "2", "--json")
    assert ping.returncode == 0, ping.stderr


def test_what_was_sent_is_there_after_a_restart(another_server, another_person):
    assert another_person.run("send", "general", "Remember this", "--as", "alice").returncode == 0
    assert another_server.stop(signal.SIGTERM) == 0, another_server.everything()
    restarted = type(another_server)(another_person)
    history = another_person.run("history", "general", "--as", "bob", "--url", restarted.url)
    assert history.returncode == 0, history.stderr
    assert "Remember this" in history.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["send"], 2, id="usage"),
        pytest.param(["whoami", "--profile", "nowhere"], 3, id="no such profile"),
        pytest.param(["login", "alice", "--password-stdin"], 4, id="wrong password"),
        pytest.param(
            ["watch", "general", "--as", "bob", "--until", "event:pong", "--for", "1s"], 7, id="in vain"
        ),
    ],
)
def test_exit_code_says_what_went_wrong(server, person, arguments, code):
    failed = person.run(*arguments, stdin="wrong\n")
    assert failed.returncode == code, failed.stdout + failed.stderr
    assert "Traceback" not in failed.stderr


def test_exit_code_says_that_nothing_listens(another_server, another_person):
    assert another_server.stop(signal.SIGINT) == 0, another_server.everything()
    refused = another_person.run("send", "general", "Hello", "--as", "alice")
    assert refused.returncode == 5, refused.stderr


def test_exit_code_of_a_watch_says_that_the_server_went(another_server, another_person):
    watch = another_person.start("watch", "general", "--as", "bob", "--json", "--for", "30s")
    watch.wait_for("subscribed #general")
    assert another_server.stop() == 0
    assert watch.exit_code() == 6, watch.everything()
