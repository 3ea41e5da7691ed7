"""``tui --web`` in headless Chromium: the inspector is drawn there, and takes keys."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import zlib
from pathlib import Path

import httpx
import pytest

from tests.interop.conftest import Pipe
from tests.tui_terminal.conftest import BROWSERS, missing, program
from tests.tui_terminal.terminal import PATIENCE, until

HERE = Path(__file__).parent
FOREIGN = HERE.parent / "interop"
MOST_ALIKE = 0.1
"""Part of its rows that a picture of one colour has in more than one way."""


@pytest.fixture
def web(serve, home, tmp_path):
    """Serve the inspector to browsers, and give its address."""
    pytest.importorskip("textual_serve", reason="the extra web is not installed")
    backend, port = serve(), free_port()
    with (tmp_path / "web.log").open("wb") as log:
        options = ("--url", backend.url, "-s", "general", "--web", "--web-port", str(port))
        process = subprocess.Popen(
            [sys.executable, "-m", "tribe_ws_cli", "tui", *options],
            env=home,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or answers(address), "the page is served")
        assert process.poll() is None, (tmp_path / "web.log").read_text()
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def browser(tmp_path):
    """Open an address in Chromium."""
    chromium, node, npm = program(*BROWSERS), program("node"), program("npm")
    for path in (HERE / "browser.mjs", FOREIGN / "package.json", FOREIGN / "package-lock.json"):
        shutil.copy(path, tmp_path)
    installed = subprocess.run(
        [npm, "ci"], cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False
    )
    if installed.returncode != 0:
        missing(f"npm ci failed: {installed.stderr[-500:]}")
    opened = []

    def open_page(address):
        place = {"TRIBE_WS_TEST_CHROMIUM": chromium, "TRIBE_WS_TEST_PAGE": address}
        opened.append(Pipe([node, str(tmp_path / "browser.mjs")], **place))
        return opened[-1]

    yield open_page
    for pipe in opened:
        pipe.close()


def test_the_inspector_works_in_a_browser(web, browser, tmp_path):
    page = browser(web)
    page.happened("open")
    first = picture(page, tmp_path / "first.png")
    page.tell({"press": "?"})
    helped = picture(page, tmp_path / "help.png")
    assert difference(first, helped) > 0.05
    page.tell({"press": "Escape"})
    again = picture(page, tmp_path / "again.png")
    assert difference(first, again) < difference(first, helped)
    page.stdin.close()
    asked = page.happened("seen")["requests"]
    assert asked
    assert [address for address in asked if not address.startswith((web, "https://fonts."))] == []


def picture(page, path):
    """Take a picture once the page stands still, and give its rows; it must show something."""
    page.tell({"picture": str(path)})
    assert page.happened("picture")["still"]
    rows = pixel_rows(path.read_bytes())
    assert len(set(rows)) > len(rows) * MOST_ALIKE, "the page is blank"
    return rows


def pixel_rows(png):
    """Give the packed rows of a PNG picture."""
    packed, height, place = b"", 0, 8
    while place < len(png):
        size, kind = int.from_bytes(png[place : place + 4], "big"), png[place + 4 : place + 8]
        if kind == b"IHDR":
            height = int.from_bytes(png[place + 12 : place + 16], "big")
        if kind == b"IDAT":
            packed += png[place + 8 : place + 8 + size]
        place += size + 12
    plain = zlib.decompress(packed)
    width = len(plain) // height
    return [plain[row * width : (row + 1) * width] for row in range(height)]


def difference(one, other):
    """Tell in which part of their rows two pictures differ."""
    return sum(a != b for a, b in zip(one, other, strict=True)) / len(one)


def answers(address):
    try:
        return httpx.get(address, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]
