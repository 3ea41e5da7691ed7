"""No web page can read or drive the control API, with or without DNS rebinding, and no stranger can."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.server.conftest import PATIENCE, wait_until
from tribe_ws.server.control import state
from tribe_ws.server.control.gate import KEY_HEADER, Gate, make_control_key
from tribe_ws.server.guards import Guard
from tribe_ws.server.local import LocalServer, local_settings
from tribe_ws.settings import ServerSettings

CALLS = [
    ("GET", "info"),
    ("GET", "connections"),
    ("GET", "events"),
    ("POST", "reset"),
    ("GET", "clock"),
    ("POST", "clock"),
    ("POST", "tokens"),
    ("POST", "disconnect"),
    ("POST", "trigger"),
    ("GET", "no-such-call"),
]


def call(backend, method, path, **headers):
    return httpx.request(
        method, f"{backend.url}/__tribe__/{path}", headers=headers, trust_env=False, timeout=PATIENCE
    )


def no_cors(answer):
    return not any(name.startswith("access-control-") for name in answer.headers)


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({KEY_HEADER: "wrong"}, 403),
        ({KEY_HEADER: ""}, 403),
        ({"Origin": "https://evil.test", "key": "right"}, 403),
        ({"Origin": "null", "key": "right"}, 403),
        ({"Origin": "http://localhost:3000", "key": "right"}, 403),
        ({"Host": "evil.test", "Origin": "http://evil.test", "key": "right"}, 421),
        ({"Host": "evil.test:8000", "key": "right"}, 421),
        ({"Host": "127.0.0.1.evil.test", "key": "right"}, 421),
    ],
)
def test_strangers_and_pages_are_turned_away_from_every_call(backend, method, path, headers, status):
    sent = dict(headers)
    if sent.pop("key", ""):
        sent[KEY_HEADER] = backend.server.control_key
    answer = call(backend, method, path, **sent)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert no_cors(answer)


def test_a_preflight_gets_no_leave(backend):
    for origin in ("https://evil.test", "http://localhost:3000"):
        answer = call(
            backend,
            "OPTIONS",
            "reset",
            Origin=origin,
            **{"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": KEY_HEADER},
        )
        assert answer.status_code == 403
        assert no_cors(answer)


def test_whoever_has_the_key_is_let_in_without_cors(backend):
    for headers in ({}, {"Origin": backend.url}, {"Host": "localhost"}):
        answer = call(backend, "GET", "info", **{KEY_HEADER: backend.server.control_key}, **headers)
        assert answer.status_code == 200, answer.text
        assert no_cors(answer)


def test_the_key_and_the_secret_are_in_no_answer_and_no_log(backend, driver):
    text = driver.get("/info").text
    assert backend.server.control_key not in text + backend.log
    assert backend.server.settings.secret not in text


@pytest.mark.parametrize(
    ("settings", "is_on"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "192.168.0.4"}, False),
        ({"host": "0.0.0.0", "control": "on"}, True),
        ({"control": "off"}, False),
        ({"control": False}, False),
        ({"host": "0.0.0.0", "control": True}, True),
    ],
)
def test_it_is_on_for_loopback_unless_the_settings_say_otherwise(settings, is_on):
    assert bool(make_control_key(ServerSettings(**settings))) is is_on


def test_each_run_has_a_key_of_its_own():
    assert make_control_key(ServerSettings()) != make_control_key(ServerSettings())


@pytest.mark.parametrize("settings", [{"host": "0.0.0.0"}, {"control": "off"}])
def test_where_it_is_off_it_is_not_there(settings):
    with LocalServer(local_settings(fixtures="none", **settings)) as server:
        url = f"{server.url}/__tribe__/info"
        for key in ("", server.control_key, "x"):
            answer = httpx.get(url, headers={KEY_HEADER: key}, trust_env=False)
            assert answer.status_code == 404


@pytest.mark.parametrize(
    ("host", "is_let_in"),
    [
        ("192.168.0.4:8000", True),
        ("[fe80::1]:8000", True),
        ("localhost:8000", True),
        ("box.lan", False),
        ("my.test:8000", True),
        ("evil.test", False),
        ("192.168.0.4.evil.test", False),
        ("", False),
    ],
)
def test_on_a_network_address_only_addresses_and_names_of_the_settings_are_answered(host, is_let_in):
    settings = ServerSettings(host="0.0.0.0", control="on", allow_host=("my.test",))
    raw = [(b"host", host.encode()), (KEY_HEADER.lower().encode(), b"k")]
    refused = Gate(Guard(settings), "k").refuse(raw)
    assert (refused is None) is is_let_in


def test_two_hosts_or_two_keys_are_none():
    gate = Gate(Guard(ServerSettings()), "k")
    host, key = (b"host", b"localhost"), (KEY_HEADER.lower().encode(), b"k")
    statuses = [
        getattr(gate.refuse(headers), "status", None)
        for headers in ([host, key], [host, host, key], [host, key, key], [key])
    ]
    assert statuses == [None, 421, 403, 421]


def test_it_is_in_no_document(backend):
    document = httpx.get(f"{backend.url}/api/v1/openapi.json", trust_env=False).json()
    assert "__tribe__" not in json.dumps(document["paths"])


def test_a_bug_is_a_500_and_a_line_in_the_log(backend, driver, monkeypatch):
    def broken(*_):
        raise RuntimeError("out of order")

    monkeypatch.setattr(state, "_clock", broken)
    answer = driver.get("/clock")
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
    assert no_cors(answer)
    wait_until(lambda: "control failed" in backend.log)
    assert "out of order" in backend.log
