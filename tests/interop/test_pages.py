"""The pages of the API's documents in a browser that can reach nothing but the server itself."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tribe_ws.protocol.examples import EXAMPLES
from tribe_ws.protocol.frames import CLIENT_FRAMES, DOCUMENTED_FRAMES

PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 28)"}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def read_page(read_in_browser, backend, tmp_path):
    """Open a page and tell what the browser asked for, and what there was to see."""

    def read(path, colours="light"):
        picture = tmp_path / "page.png"
        pipe = read_in_browser(f"{backend.url}{path}", colours, picture)
        shown, seen = pipe.happened("page"), pipe.happened("seen")
        return SimpleNamespace(**shown | seen, picture=picture.read_bytes())

    return read


@pytest.mark.parametrize("colours", PAPER)
@pytest.mark.parametrize("path", ["/docs", "/docs/events"])
def test_a_page_asks_for_nothing_but_itself(backend, read_page, path, colours):
    page = read_page(path, colours)
    assert page.status == 200
    assert set(page.requests) <= {f"{backend.url}{path}", f"{backend.url}/favicon.ico"}
    assert page.complaints == []
    assert page.width <= 1280
    assert page.background == PAPER[colours]
    assert page.picture.startswith(PNG)
    assert len(page.picture) > 20_000


def test_a_person_finds_every_call_with_an_example(backend, read_page):
    text = read_page("/docs").text
    for path, calls in backend.rest.get("/openapi.json").json()["paths"].items():
        for method, call in calls.items():
            assert f"{method.upper()} {path}" in text
            for part in (call.get("requestBody", {}), *call["responses"].values()):
                for media in part.get("content", {}).values():
                    if "example" in media and "detail" not in media["example"]:
                        assert shown(media["example"]) in text


def test_a_person_finds_every_event_with_its_example(read_page):
    text = read_page("/docs/events").text
    for kind in (*CLIENT_FRAMES, *DOCUMENTED_FRAMES):
        for example in EXAMPLES[kind]:
            assert shown(example) in text


def shown(value):
    return json.dumps(value, indent=2, ensure_ascii=False)
