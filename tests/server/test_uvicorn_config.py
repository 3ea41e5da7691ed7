"""How uvicorn is told to run us."""

from __future__ import annotations

import logging

import pytest

from tribe_ws.server import uvicorn_config as module
from tribe_ws.server.fast_socket import TribeSocketProtocol
from tribe_ws.server.http_protocol import BoundedHttpProtocol
from tribe_ws.server.socket_protocol import ContractSocketProtocol
from tribe_ws.server.uvicorn_config import uvicorn_config
from tribe_ws.settings import ServerSettings


async def app(scope, receive, send):
    pass


def config(settings=None, **overrides):
    return uvicorn_config(settings or ServerSettings(), app, **overrides)


def test_contract_is_in_the_configuration():
    made = config(ServerSettings(max_frame_bytes=1000, ping_interval=7, ping_timeout=9, port=1234))
    assert made.ws_max_size == 1000
    assert (made.ws_ping_interval, made.ws_ping_timeout) == (7, 9)
    assert made.ws_per_message_deflate is False
    assert made.server_header is False
    assert made.access_log is False
    assert (made.host, made.port) == ("127.0.0.1", 1234)
    assert made.timeout_graceful_shutdown == 8


def test_pings_can_be_switched_off():
    assert config(ServerSettings(ping_interval=0)).ws_ping_interval is None


@pytest.mark.parametrize(
    ("way", "protocol"), [("fast", TribeSocketProtocol), ("portable", ContractSocketProtocol)]
)
def test_settings_choose_the_way_to_the_sockets(way, protocol):
    assert config(ServerSettings(fan_out=way)).ws is protocol


def test_stop_never_has_no_time_at_all():
    assert config(ServerSettings(stop_timeout=0.1)).timeout_graceful_shutdown == 1


def test_overrides_win():
    assert config(port=9, lifespan="off").lifespan == "off"


def test_patience_with_headers_comes_from_the_settings():
    http = config(ServerSettings(handshake_timeout=3)).http
    assert issubclass(http, BoundedHttpProtocol)
    assert http.handshake_timeout == 3


def test_pure_python_is_enough(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    made = config()
    assert (made.http, made.loop) == ("h11", "asyncio")


def test_logging_of_the_process_is_left_alone():
    before = logging.getLogger().handlers[:]
    config()
    assert logging.getLogger().handlers == before
