"""Lines from stdin."""

from __future__ import annotations

import io
import os
import sys

import pytest

from tribe_ws_cli.stdin import stdin_lines


async def test_lines_of_a_pipe_also_without_a_last_line_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, "eins\n\nzwei ü".encode())
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert [line async for line in stdin_lines()] == ["eins", "", "zwei ü"]


async def test_many_lines_wait_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{number}\n" for number in range(1000))))
    assert [line.strip() async for line in stdin_lines()] == [str(number) for number in range(1000)]


async def test_no_stdin_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert [line async for line in stdin_lines()] == []


async def test_a_closed_handle_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    stream = os.fdopen(reader)
    monkeypatch.setattr(sys, "stdin", stream)
    monkeypatch.setattr(os, "read", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    lines = [line async for line in stdin_lines()]
    monkeypatch.undo()
    stream.close()
    assert lines == []
