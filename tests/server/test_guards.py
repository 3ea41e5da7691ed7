"""Which hosts and origins may talk to the server (contract 3.1)."""

from __future__ import annotations

import pytest

from tribe_ws.server.guards import Guard
from tribe_ws.settings import ServerSettings


def guard(**settings):
    return Guard(ServerSettings(**settings))


def headers(**values):
    return [(name.encode(), value.encode("latin-1")) for name, value in values.items()]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1:1",
        "127.9.9.9",
        "[::1]:8000",
        "[::1]",
        "app.localhost:80",
    ],
)
def test_loopback_names_reach_a_loopback_server(host):
    assert guard().refuse_host(headers(host=host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "192.168.0.7",
        "127.0.0.1.nip.io",
        "",
        "a@localhost",
        "localhost:x",
        "[::1",
        "10.0.0.1:8000",
        "[fe80::1]",
        "0x7f.1",
        "local host",
    ],
)
def test_other_names_do_not(host):
    refusal = guard().refuse_host(headers(host=host))
    assert refusal is not None
    assert refusal.status == 421


def test_no_host_and_two_hosts_are_refused():
    assert guard().refuse_host([]) is not None
    assert guard().refuse_host([(b"host", b"localhost"), (b"host", b"localhost")]) is not None


def test_named_hosts_are_let_in():
    named = guard(allow_host=("Dev.Tribe.test",))
    assert named.refuse_host(headers(host="dev.tribe.test:8000")) is None
    assert named.refuse_host(headers(host="other.tribe.test")) is not None


def test_server_for_the_network_takes_any_host():
    assert guard(host="0.0.0.0").refuse_host(headers(host="tribe.example")) is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "https://localhost",
        "http://127.0.0.1:9",
        "http://[::1]:3000",
        "http://192.168.1.20:8080",
        "http://10.1.2.3",
        "http://172.16.0.1",
        "http://app.localhost",
    ],
)
def test_loopback_and_private_origins_may_come(origin):
    assert guard().refuse_origin(headers(origin=origin)) is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://8.8.8.8",
        "http://localhost.evil.example",
        "file://",
        "http://[::1",
        "",
        "localhost",
        "chrome-extension://abc",
        "http://",
    ],
)
def test_other_origins_may_not(origin):
    refusal = guard().refuse_origin(headers(origin=origin))
    assert refusal is not None
    assert refusal.status == 403


def test_no_origin_is_no_web_page():
    assert guard().refuse_origin([]) is None


def test_named_origins_may_come_and_a_star_lets_all_in():
    named = guard(allow_origin=("https://App.tribe.test/",))
    assert named.allows_origin("https://app.tribe.test")
    assert not named.allows_origin("http://app.tribe.test")
    assert guard(allow_origin=("*",)).allows_origin("https://evil.example")


def test_one_foreign_origin_among_two_is_enough():
    both = [(b"origin", b"http://localhost"), (b"origin", b"https://evil.example")]
    assert guard().refuse_origin(both) is not None


def test_host_is_judged_before_origin():
    refusal = guard().refuse_upgrade(headers(host="evil.example", origin="https://evil.example"))
    assert refusal is not None
    assert refusal.status == 421
