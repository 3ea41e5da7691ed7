"""The AsyncAPI document as the AsyncAPI initiative's own parser reads it.

Where npm is missing the test is skipped with the reason, unless ``TRIBE_WS_TEST_ASYNCAPI=required`` says that
this run is the one which guards the promise.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tribe_ws.protocol.asyncapi import asyncapi_document
from tribe_ws.protocol.profiles import Profile
from tribe_ws.server.local import LocalServer, local_settings

pytestmark = [pytest.mark.asyncapi, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
SERVED = (Profile.DOCUMENTED, Profile.APP)
WARNING = 1
"""Errors are 0, warnings 1; what is above is advice, such as to use a later version of AsyncAPI than 3.0."""


@pytest.fixture(scope="session")
def parse(tmp_path_factory):
    """Install the parser beside the script that uses it; give what it finds wrong with a document."""
    folder = tmp_path_factory.mktemp("asyncapi")
    for name in ("package.json", "package-lock.json", "parse.js"):
        shutil.copy(HERE / name, folder)
    run([program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    def parse_one(document):
        (folder / "document.json").write_text(json.dumps(document), "utf-8")
        answer = json.loads(run([program("node"), "parse.js", "document.json"], folder))
        wrong = [entry for entry in answer["found"] if entry["severity"] <= WARNING]
        assert answer["isRead"] or wrong
        return wrong

    return parse_one


@pytest.mark.parametrize("profile", SERVED)
def test_the_parser_finds_nothing_wrong_with_what_a_server_serves(parse, profile):
    with LocalServer.in_thread(local_settings(profile=profile.value)) as server:
        answer = httpx.get(f"{server.url}/api/v1/asyncapi.json", trust_env=False)
    document = answer.raise_for_status().json()
    assert document["asyncapi"] == "3.0.0"
    assert "socketV2" in document["channels"]
    assert parse(document) == []


def test_the_parser_would_see_a_reference_that_leads_nowhere(parse):
    document = copy.deepcopy(
        asyncapi_document(version="1", socket_url="ws://h/api/v1/ws", profile=Profile.APP)
    )
    document["operations"]["send"]["channel"]["$ref"] = "#/channels/nowhere"
    assert parse(document) != []


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    if done.returncode != 0:
        missing(f"{' '.join(command)} failed: {done.stderr[-500:]}")
    return done.stdout


def program(name):
    return shutil.which(name) or missing(f"{name} is not installed")


def missing(reason):
    if os.environ.get("TRIBE_WS_TEST_ASYNCAPI") == "required":
        pytest.fail(reason)
    pytest.skip(reason)
