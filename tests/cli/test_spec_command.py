"""The contract as documents, printed offline."""

from __future__ import annotations

import json
import socket

import pytest

from tests.cli.conftest import Cli
from tribe_ws import __version__


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a document asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(
    ("document", "key", "begin"),
    [("events", "version", __version__), ("jsonschema", "$schema", "https://json-schema.org/draft/2020-12"),
     ("asyncapi", "asyncapi", "3.0"), ("openapi", "openapi", "3.1")],
)  # fmt: skip
def test_each_document_is_json_on_stdout(cli: Cli, document: str, key: str, begin: str) -> None:
    indented = cli("spec", document)
    assert indented.exit_code == 0, indented.stderr
    assert indented.stderr == ""
    made = json.loads(indented.stdout)
    assert made[key].startswith(begin)
    line = cli("spec", document, "--json").stdout
    assert line.count("\n") == 1
    assert json.loads(line) == made


def test_the_profile_decides_what_is_in_it(cli: Cli) -> None:
    def events(profile: str) -> set[str]:
        made = json.loads(cli("spec", "events", "--profile", profile).stdout)
        return {one["event"] for one in made["events"] if one["from"] == "server"}

    assert events("documented") == {"connected", "message.new", "typing", "subscribed", "pong"}
    assert events("app") - events("documented") == {"presence", "message.read"}
    assert {"error", "unsubscribed"} <= events("v2") - events("app")


def test_the_socket_of_tribe_v2_is_in_every_asyncapi_document(cli: Cli) -> None:
    made = [json.loads(cli("spec", "asyncapi", "--profile", name).stdout) for name in ("documented", "v2")]
    assert made[0] == made[1]
    assert "socketV2" in made[0]["channels"]


def test_the_socket_is_that_of_the_server_named(cli: Cli) -> None:
    made = json.loads(cli("spec", "asyncapi", "--url", "chat.example:9").stdout)
    assert made["servers"]["here"]["host"] == "chat.example:9"


def test_an_unknown_document_is_refused(cli: Cli) -> None:
    refused = cli("spec", "wsdl")
    assert refused.exit_code == 2
    assert "openapi" in refused.stderr
