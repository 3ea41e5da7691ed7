"""The port: taken, free, or held by somebody whose name we can tell."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tribe_ws import listening
from tribe_ws.listening import CannotListen, base_url, bound_port, listen, port_holder


@pytest.fixture
def listener():
    made = listen("127.0.0.1", 0)
    yield made
    made.close()


def test_port_zero_picks_a_free_one(listener):
    assert bound_port(listener) > 0
    socket.create_connection(("127.0.0.1", bound_port(listener))).close()


def test_taken_port_is_refused_with_the_name_of_its_holder(listener):
    port = bound_port(listener)
    with pytest.raises(CannotListen) as caught:
        listen("127.0.0.1", port)
    name = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
    assert str(caught.value) == f"port {port} is in use by {name} (pid {os.getpid()})"
    assert caught.value.port == port
    assert "--port 0" in caught.value.hint


def test_taken_port_of_an_unknown_holder_is_refused_without_a_name(listener, monkeypatch):
    monkeypatch.setattr(listening, "port_holder", lambda _: "")
    port = bound_port(listener)
    with pytest.raises(CannotListen, match=f"^port {port} is in use$"):
        listen("127.0.0.1", port)


def test_nobody_holds_a_free_port(listener):
    port = bound_port(listener)
    listener.close()
    assert port_holder(port) == ""


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7", "not a host"])
def test_host_that_is_not_ours_is_refused_in_a_sentence(host):
    with pytest.raises(CannotListen, match=f"cannot listen on {host}"):
        listen(host, 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_is_listened_on():
    try:
        made = listen("::1", 0)
    except CannotListen:
        pytest.skip("this machine has no IPv6 loopback")
    assert made.family == socket.AF_INET6
    made.close()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"), ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80"), ("::1", "http://[::1]:80"),
    ],
)  # fmt: skip
def test_address_is_one_that_clients_can_reach(host, url):
    assert base_url(host, 80) == url
