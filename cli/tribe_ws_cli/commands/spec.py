"""``spec``: the contract as documents for other programs, made offline from the code's own models."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import typer

from tribe_ws_cli.application import command, environment_of


@command(
    examples=(
        "tribe-ws spec events | jq -r '.events[].event'",
        "tribe-ws spec jsonschema --profile v2 > frames.schema.json",
        "tribe-ws spec asyncapi > asyncapi.json",
        "tribe-ws spec openapi > openapi.json",
    ),
    without=("as_user", "profile", "timeout"),
)
def spec(
    context: typer.Context,
    document: Annotated[
        Literal["events", "jsonschema", "asyncapi", "openapi"],
        typer.Argument(metavar="DOCUMENT", help="events, jsonschema, asyncapi or openapi."),
    ],
    profile: Annotated[
        Literal["documented", "app", "v2"],
        typer.Option("--profile", metavar="documented|app|v2", help="Wire profile (documented)."),
    ] = "documented",
) -> None:
    """Print the contract as a document: events, JSON Schema, AsyncAPI or OpenAPI.

    Nothing is asked for it: no server needs to run. The document is indented JSON, with --json on one line.
    events lists what is said on the socket; jsonschema describes every frame, with ClientFrame and
    ServerFrame among its $defs; asyncapi (3.0) describes the socket, that of tribe.v2 always beside the
    profile's; openapi (3.1) the REST calls, which are the same in every profile.
    """
    environment = environment_of(context)
    made = _make(document, profile, environment.address.socket_url)
    if environment.json:
        environment.output.json(made)
    else:
        environment.output.line(json.dumps(made, indent=2, ensure_ascii=False))


def _make(document: str, profile_name: str, socket_url: str) -> dict[str, Any]:
    from tribe_ws import __version__
    from tribe_ws.protocol.asyncapi import asyncapi_document
    from tribe_ws.protocol.profiles import Profile
    from tribe_ws.protocol.spec import events_document, jsonschema_document

    profile = Profile(profile_name)
    match document:
        case "events":
            return events_document(profile, version=__version__)
        case "jsonschema":
            return jsonschema_document(profile, version=__version__)
        case "asyncapi":
            return asyncapi_document(
                version=__version__,
                socket_url=socket_url,
                # That of tribe.v2 is in each of them.
                profile=Profile.DOCUMENTED if profile is Profile.V2 else profile,
            )
    from tribe_ws.server.app import create_app
    from tribe_ws.settings import ServerSettings

    return create_app(ServerSettings(db=":memory:")).openapi()
