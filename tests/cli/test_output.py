"""stdout: safe to look at, true to read back."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from tribe_ws_cli.output import Output, cut, paint, to_json, width_of


def written(write: str, *args: object, color: bool = False) -> str:
    stream = io.StringIO()
    getattr(Output(stream, color=color), write)(*args)
    return stream.getvalue()


def test_lines_and_segments_are_made_safe() -> None:
    assert written("line", "a\x1b[31mb\nc") == "a\\x1b[31mb\nc\n"
    assert written("segments", [("a\x1b", "in"), ("\nb ", "")]) == "a\\x1b\\nb\n"
    assert written("raw", "{\x9b}") == "{\\x9b}\n"


def test_colours_are_added_after_the_text_was_made_safe() -> None:
    assert written("segments", [("x\x1b", "in")], color=True) == "\x1b[32mx\\x1b\x1b[0m\n"
    assert paint("x", "", color=True) == "x"


def test_tables_align_wide_characters_too() -> None:
    text = written("table", ("name", "id"), [("日本", "1"), ("bob", "2")])
    assert text.splitlines() == ["name  id", "日本  1", "bob   2"]


def test_tables_without_rows_have_headings() -> None:
    assert written("table", ("name", "id"), []) == "name  id\n"


def test_a_narrow_encoding_gets_escapes() -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii", write_through=True)
    Output(stream).line("a → b")
    assert buffer.getvalue() == b"a \\u2192 b\n"


@given(st.text(alphabet=st.characters(codec=None)))
def test_json_lines_are_safe_and_true(text: str) -> None:
    line = to_json({"text": text})
    assert json.loads(line) == {"text": text}
    assert "\n" not in line
    assert not any(0x7F <= ord(character) < 0xA0 or 0xD800 <= ord(character) < 0xE000 for character in line)


def test_readable_characters_stay_readable_in_json() -> None:
    assert to_json("Grüße 日本") == '"Grüße 日本"'


def test_cutting_counts_columns() -> None:
    assert cut("hello", 5) == "hello"
    assert cut("hello!", 5) == "hell…"
    assert cut("日本語", 5) == "日本…"
    assert width_of("日本") == 4
