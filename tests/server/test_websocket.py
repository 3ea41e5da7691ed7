"""The door to the socket: who is let in, who is not, and how that is said (contract 3.1)."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.server.socket_stage import (
    CONNECTED,
    MakeStage,
    Stage,
    end_of,
    hear,
    hears_nothing,
    until,
)
from tribe_ws.errors import StorageUnavailable
from tribe_ws.protocol import close_codes


async def test_connected_is_the_first_frame_to_the_letter(stage: Stage) -> None:
    client = await stage.dial("ana")
    assert await hear(client) == CONNECTED
    assert client.subprotocol is None
    await hears_nothing(client)


@pytest.mark.parametrize(
    "code",
    [
        close_codes.TOKEN_INVALID,
        close_codes.TOKEN_EXPIRED,
        close_codes.TOKEN_TYPE,
        close_codes.TOKEN_REVOKED,
        close_codes.USER_UNKNOWN,
        close_codes.ACCOUNT_DISABLED,
    ],
    ids=lambda code: code.reason,
)
async def test_a_refused_token_is_accepted_then_closed_with_its_reason(stage: Stage, code) -> None:
    stage.cast.refusals["bad"] = code
    client = await stage.dial("bad")
    assert await end_of(client) == (code.code, code.reason)
    with pytest.raises(ConnectionClosed):
        await client.recv()
    assert stage.cast.hub.is_empty


@pytest.mark.parametrize("query", ["", "?", "?token=", "?token", "?other=1"])
async def test_no_token_is_token_missing(stage: Stage, query: str) -> None:
    client = await stage.dial(query=query)
    assert await end_of(client) == (4401, "token_missing")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?token=ana&token=ana", []),
        ("?token=ana&token=ben", []),
        ("?token=ana&token=", []),
        ("?token=ana", [("Authorization", "Bearer ben")]),
        ("", [("Authorization", "Bearer ana"), ("Authorization", "Bearer ana")]),
    ],
)
async def test_which_token_is_meant_must_be_clear(stage: Stage, query: str, headers) -> None:
    client = await stage.dial(query=query, additional_headers=headers)
    assert await end_of(client) == (4401, "token_invalid")


@pytest.mark.parametrize(
    ("query", "header"),
    [
        ("", "Bearer ana"),
        ("", "bearer  ana "),
        ("?token=ana", "Bearer ana"),
        ("?token=ana", "Basic YW5hOmI="),
        ("?a=b&token=%61na", "Bearer"),
    ],
)
async def test_a_bearer_header_does_as_well(stage: Stage, query: str, header: str) -> None:
    client = await stage.dial(query=query, additional_headers={"Authorization": header})
    assert await hear(client) == CONNECTED
    assert stage.connection("ana").user_name == "Full Ana"


@pytest.mark.parametrize(
    ("code", "status"), [(close_codes.TOKEN_EXPIRED, 401), (close_codes.ACCOUNT_DISABLED, 403)]
)
async def test_a_hardened_server_refuses_the_upgrade_instead(make_stage: MakeStage, code, status) -> None:
    async with make_stage(reject="http") as stage:
        stage.cast.refusals["bad"] = code
        with pytest.raises(InvalidStatus) as refused:
            await stage.dial("bad")
        response = refused.value.response
        assert response.status_code == status
        assert json.loads(response.body or b"") == {"detail": code.reason}
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"additional_headers": {"Host": "evil.example"}}, 421),
        ({"path": "/api/v1/other"}, 404),
        ({"path": "/"}, 404),
        ({"path": "/api/v1/ws/"}, 404),
    ],
)
async def test_foreign_pages_names_and_paths_are_refused_by_status(stage: Stage, options, status) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await stage.dial("ana", **options)
    assert refused.value.response.status_code == status
    assert set(json.loads(refused.value.response.body or b"")) == {"detail"}


@pytest.mark.parametrize("origin", [None, "http://localhost:3000", "http://192.168.1.5"])
async def test_own_pages_and_apps_may_connect(stage: Stage, origin) -> None:
    client = await stage.dial("ana", origin=origin)
    assert await hear(client) == CONNECTED


async def test_a_client_that_leaves_while_it_is_judged_leaves_nothing(stage: Stage) -> None:
    stage.cast.gate = asyncio.Event()
    dialing = asyncio.create_task(stage.dial("ana"))
    await until(lambda: stage.server.server_state.connections)
    dialing.cancel()
    await asyncio.gather(dialing, return_exceptions=True)
    await until(lambda: not stage.server.server_state.connections)
    stage.cast.gate.set()
    await until(lambda: not stage.server.server_state.tasks)
    assert stage.cast.hub.is_empty
    assert stage.log == []


async def test_a_failing_database_at_the_door_is_an_internal_error(stage: Stage) -> None:
    stage.cast.failure = RuntimeError("boom")
    client = await stage.dial("ana")
    assert await end_of(client) == (1011, "internal")
    assert [line for line in stage.log if "boom" in line.get("exception", "")]


async def test_a_database_that_cannot_be_asked_at_the_door_leaves_no_traceback(stage: Stage) -> None:
    stage.cast.failure = StorageUnavailable("busy", reason="storage_busy")
    client = await stage.dial("ana")
    assert await end_of(client) == (1011, "internal")
    assert [(line["event"], line["reason"]) for line in stage.log] == [("socket.refused", "storage_busy")]
