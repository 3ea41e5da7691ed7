"""Matchers: what each accepts, and what it says of the rest."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.scenario.language.document import read_document
from tribe_ws.scenario.language.matcher_forms import FORMS, WORDS, read_matcher
from tribe_ws.scenario.language.reading import Reading
from tribe_ws.scenario.language.writing import flow
from tribe_ws.scenario.matchers import ABSENT, Capture, Difference, Keys, Literal, is_same, shown
from tribe_ws.scenario.place import Place, ScenarioError
from tribe_ws.scenario.running.narrowing import narrowed
from tribe_ws.scenario.substitution import Variables

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
UUID = "7b25f672-2ae0-56a2-a264-7f656e1c1c68"
PLACE = Place("it", 1, 1)
MESSAGE = {
    "event": "message.new",
    "conversation_id": UUID,
    "data": {"id": UUID, "content": "Hello", "sender": {"id": "s", "username": "alice"}, "tags": ["a", "b"]},
}


def matcher(text):
    return read_matcher(read_document(text, "it"), Reading())


def differences(text, value, **variables):
    return matcher(text).differences(value, Variables(variables, now=lambda: NOW))


ACCEPTED = [
    ("Hello", "Hello"),
    ("5", 5),
    ("5", 5.0),
    ("1.5", 1.5),
    ("true", True),
    ("null", None),
    ("'5'", "5"),
    ("2026-11-23", "2026-11-23"),
    ("$5 please", "$5 please"),
    ("$", "$"),
    ("{}", {"a": 1}),
    ("{a: 1}", {"a": 1, "b": 2}),
    ("{a: {b: 1}}", {"a": {"b": 1, "c": 2}}),
    ("[]", []),
    ("[1, {a: 1}]", [1, {"a": 1, "b": 2}]),
    ("{$exact: {a: {b: 1}}}", {"a": {"b": 1}}),
    ("{$exact: [{a: 1}]}", [{"a": 1}]),
    ("{$exact: {a: {$any_of: [{b: 1}]}}}", {"a": {"b": 1}}),
    ("{$equals: {a: $uuid}}", {"a": "$uuid"}),
    ("{$equals: $uuid}", "$uuid"),
    ("{$keys: [a, b]}", {"a": 1, "b": 2}),
    ("$anything", None),
    ("$anything", 0),
    ("$string", ""),
    ("$integer", 3),
    ("$number", 3),
    ("$number", 3.5),
    ("$boolean", False),
    ("$object", {}),
    ("$array", []),
    ("$uuid", UUID),
    ("$time", "2026-11-23T12:00:00Z"),
    ("$time", "2024-02-29T12:00:00.123Z"),
    ("{$time: 5s}", "2026-11-23T12:00:05Z"),
    ("{$time: 5s}", "2026-11-23T11:59:55.000Z"),
    ("{$regex: ell}", "Hello"),
    ('{$regex: "^H.*o$"}', "Hello"),
    ("{$range: [1, 3]}", 1),
    ("{$range: [1, 3]}", 3),
    ("{$range: [null, 3]}", -10),
    ("{$range: [0.5, null]}", 10),
    ("{$length: 2}", "ab"),
    ("{$length: 2}", [1, 2]),
    ("{$length: 1}", {"a": 1}),
    ("{$length: {$range: [1, null]}}", "a"),
    ("{$any_of: [a, $integer]}", 3),
    ("{$all_of: [$string, {$length: 1}]}", "a"),
    ("{$not: a}", "b"),
    ("{a: {$not: b}}", {}),
    ("{a: $absent}", {"b": 1}),
    ("{$contains: {a: 1}}", [{"a": 2}, {"a": 1, "b": 1}]),
    ("{$each: $string}", []),
    ("{$each: $string}", ["a", "b"]),
]

REFUSED = [
    ("Hello", "hello"),
    ("1", True),
    ("true", 1),
    ("'5'", 5),
    ("null", ABSENT),
    ("null", False),
    ("{a: 1}", []),
    ("{a: null}", {}),
    ("[1]", [1, 2]),
    ("[1]", {"0": 1}),
    ("[1, 2]", [2, 1]),
    ("{$exact: {a: {b: 1}}}", {"a": {"b": 1, "c": 1}}),
    ("{$exact: {a: 1}}", {"a": 1, "b": 1}),
    ("{$equals: {a: 1}}", {"a": 1, "b": 2}),
    ("{$equals: [1]}", [1, 2]),
    ("{$keys: [a, b]}", {"b": 1, "a": 2}),
    ("{$keys: [a]}", {"a": 1, "b": 2}),
    ("$anything", ABSENT),
    ("$string", None),
    ("$string", ABSENT),
    ("$integer", True),
    ("$integer", 1.5),
    ("$number", "1"),
    ("$boolean", 0),
    ("$object", []),
    ("$uuid", UUID.upper()),
    ("$uuid", UUID.replace("-", "")),
    ("$uuid", f"{UUID}\n"),
    ("$uuid", None),
    ("$time", "2026-11-23T12:00:00"),
    ("$time", "2026-11-23T12:00:00+00:00"),
    ("$time", "2026-11-23 12:00:00Z"),
    ("$time", "2026-02-30T12:00:00Z"),
    ("$time", 5),
    ("{$time: 5s}", "2026-11-23T12:00:06Z"),
    ("{$regex: '^ell'}", "Hello"),
    ("{$regex: '5'}", 5),
    ("{$range: [1, 3]}", 4),
    ("{$range: [1, 3]}", 0.5),
    ("{$range: [1, 3]}", True),
    ("{$range: [1, 3]}", "2"),
    ("{$length: 2}", "a"),
    ("{$length: 2}", 22),
    ("{$any_of: [a, b]}", "c"),
    ("{$all_of: [$string, b]}", "c"),
    ("{$not: a}", "a"),
    ("{a: $absent}", {"a": None}),
    ("{$contains: 1}", [2]),
    ("{$contains: 1}", "1"),
    ("{$each: $string}", ["a", 1]),
    ("{$each: $string}", "ab"),
]


@pytest.mark.parametrize(("text", "value"), ACCEPTED)
def test_accepts(text, value):
    assert differences(text, value) == ()
    assert matcher(text).match(value, Variables(now=lambda: NOW)).ok


@pytest.mark.parametrize(("text", "value"), REFUSED)
def test_refuses_and_says_what_was_wanted(text, value):
    found = differences(text, value)
    assert found
    assert all(one.wanted for one in found)
    assert not matcher(text).match(value, Variables(now=lambda: NOW)).ok


def test_every_matcher_is_tried_both_ways():
    accepted, refused = " ".join(text for text, _ in ACCEPTED), " ".join(text for text, _ in REFUSED)
    assert [name for name in (*WORDS, *FORMS) if name not in accepted] == []
    assert [name for name in (*WORDS, *FORMS) if name not in refused and name != "$array"] == []


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ("{data: {content: Bye}}", MESSAGE, 'data.content: wanted "Bye", got "Hello"'),
        ("{data: {tags: [a, c]}}", MESSAGE, 'data.tags[1]: wanted "c", got "b"'),
        ("{data: {seen: true}}", MESSAGE, "data.seen: wanted true, got nothing"),
        ("{$exact: {a: 1}}", {"a": 1, "b c": 2}, '"b c": wanted no such key, got 2'),
        ("{id: $uuid}", {"id": "x"}, 'id: wanted a UUID (hyphens, lower case), got "x"'),
        ("{at: $time}", {"at": "x"}, 'at: wanted a UTC time with Z (RFC 3339), got "x"'),
        (
            "{at: {$time: 5s}}",
            {"at": 1},
            "at: wanted a UTC time with Z (RFC 3339) within 5.0 s of now, got 1",
        ),
        ("{a: {$regex: b}}", {"a": "c"}, 'a: wanted a text like /b/, got "c"'),
        ("{a: {$length: 2}}", {"a": "c"}, 'a: wanted a length of 2 (it is 1), got "c"'),
        ("{a: {$any_of: [b, $integer]}}", {"a": "c"}, 'a: wanted "b" or an integer, got "c"'),
        ("{a: {$range: [1, null]}}", {"a": 0}, "a: wanted a number from 1 on, got 0"),
        ("{a: {$range: [null, 1]}}", {"a": 2}, "a: wanted a number up to 1, got 2"),
        ("{a: {$range: [1, 2]}}", {"a": 3}, "a: wanted a number from 1 to 2, got 3"),
        ("{a: {$contains: {b: 1}}}", {"a": []}, "a: wanted an array with {b: 1, …} in it, got []"),
        ("{a: {$each: {b: 1}}}", {"a": [{"b": 2}]}, "a[0].b: wanted 1, got 2"),
        ("{$keys: [a, b]}", {}, "wanted the keys a, b in this order, got {}"),
        ("{a: {$not: [1]}}", {"a": [1]}, "a: wanted not [1], got [1]"),
        ("[1]", [], "wanted an array of 1, got []"),
        ("{a: $object}", {"a": 1}, "a: wanted an object, got 1"),
        ("{a: ${{ name }}}", {"a": 1}, 'a: wanted "bob", got 1'),
        ('{a: {$regex: "^${{ name }}"}}', {"a": "x"}, 'a: wanted a text like /^bob/, got "x"'),
    ],
)
def test_difference_names_the_path_and_both_sides(text, value, told):
    text = text.replace("${{ name }}}", '"${{ name }}"}') if "a: ${{" in text else text
    assert [str(one) for one in differences(text, value, name="bob")] == [told]


def test_hostile_expression_gives_up_in_time_and_says_so():
    began = time.process_time()
    (found,) = differences(r'{$regex: "^(.*?,){15}P"}', "1," * 30)
    assert time.process_time() - began < 2
    assert found.wanted == "a text like /^(.*?,){15}P/ (given up: it takes too long)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("$regex", "needs an argument"),
        ("{$uuid: 1}", "takes no argument"),
        ("{$regexp: a}", "no matcher"),
        ("{$regex: a, b: 1}", "alone in its braces"),
        ("{$regex: '['}", "not a regular expression"),
        ("{$regex: [a]}", "a single value"),
        ("{$exact: 5}", "an object or an array"),
        ("{$keys: a}", "a list"),
        ("{$range: [1]}", "a list of 2"),
        ("{$range: [1, 2, 3]}", "two numbers"),
        ("{$range: [null, null]}", "at least one end"),
        ("{$range: [3, 1]}", "nothing is between"),
        ("{$range: [a, 1]}", "a number, or null"),
        ("{$any_of: []}", "a list"),
        ("{$length: -1}", "not between"),
        ("{$length: {a: 1}}", "a whole number or"),
        ("{$time: soon}", "not a duration"),
        ("$uuidd", "no matcher"),
    ],
)
def test_matcher_that_is_none_is_refused(text, problem):
    with pytest.raises(ScenarioError) as caught:
        matcher(text)
    assert problem in caught.value.problem


def test_pattern_too_long_is_refused():
    with pytest.raises(ScenarioError, match="longer than"):
        matcher(f"{{$regex: {'a' * 1001}}}")


def test_pattern_with_a_variable_is_checked_when_it_is_used():
    with pytest.raises(ScenarioError, match="not a regular expression"):
        differences('{$regex: "${{ broken }}"}', "a", broken="(")


def test_captures_come_out_of_what_matched():
    captures = (Capture(PLACE, "id", "data.id"), Capture(PLACE, "tag", "data.tags[0]"))
    outcome = matcher("{event: message.new}").match(MESSAGE, Variables(), captures)
    assert outcome.captured == {"id": UUID, "tag": "a"}


@pytest.mark.parametrize("expression", ["data.nothing", "length(data.missing)"])
def test_capture_that_finds_nothing_is_a_difference(expression):
    outcome = matcher("{}").match(MESSAGE, Variables(), (Capture(PLACE, "id", expression),))
    assert not outcome.ok
    assert "a value for id" in outcome.differences[0].wanted


def test_narrowing_wants_the_conversation_and_the_user_as_well():
    pattern = narrowed(Keys({"event": Literal("message.new")}), conversation_id=UUID, user_id="s")
    assert pattern.match(MESSAGE, Variables()).ok
    assert not pattern.match(MESSAGE | {"conversation_id": "x"}, Variables()).ok
    assert not narrowed(Literal(1), user_id="x").match(MESSAGE, Variables()).ok
    typing = {"event": "typing", "data": {"user_id": "s"}}
    assert narrowed(Keys({}), user_id="s").match(typing, Variables()).ok


def test_long_values_are_cut_when_they_are_shown():
    assert len(shown("a" * 1000)) == 200
    assert len(matcher(f"{{a: {'b' * 1000}}}").describe()) <= 200
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "a list that cannot be shown"


def test_number_of_differences_is_bounded():
    wanted = Keys({f"k{number}": Literal(1) for number in range(1000)}, closed=True)
    assert len(wanted.differences({f"x{number}": 1 for number in range(1000)}, Variables())) <= 100


def test_difference_shows_nothing_for_what_is_missing():
    assert str(Difference("", "1")) == "wanted 1, got nothing"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_every_value_equals_itself_and_is_written_so_that_it_reads_as_itself(value):
    assert is_same(value, value)
    text = flow({"$equals": value})
    assert matcher(text.replace("${{", "$${{")).differences(value, Variables()) == ()


@given(JSON, JSON)
def test_no_matcher_ever_raises_for_what_it_is_shown(wanted, value):
    assert isinstance(Literal(wanted).differences(value, Variables()), tuple)
    for name, (one, _says) in WORDS.items():
        assert one.describe()
        for difference in one.differences(value, Variables(now=lambda: NOW)):
            assert str(difference), name


@given(JSON, JSON)
def test_equality_is_mutual(one, other):
    assert is_same(one, other) is is_same(other, one)
