"""Substitution: what stands for what, and what is said of a name that nobody set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.scenario.place import Place, ScenarioError
from tribe_ws.scenario.substitution import LONGEST_TEXT, Template, Variables, complaint_about, parse_text

PLACE = Place("it", 3, 7)
VARIABLES = Variables(
    {
        "greeting": "Hello",
        "count": 3,
        "yes": True,
        "nothing": None,
        "user": {"id": "u1", "tags": ["a", "b"], "deep": {"er": 1}},
        "users": [{"id": "x"}, {"id": "y"}],
    }
)


def resolved(text, variables=VARIABLES):
    return variables.resolve(parse_text(text, PLACE))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no substitution", "no substitution"),
        ("${{ greeting }}", "Hello"),
        ("${{greeting}}", "Hello"),
        ("${{ count }}", 3),
        ("${{ yes }}", True),
        ("${{ nothing }}", None),
        ("${{ user.tags }}", ["a", "b"]),
        ("${{ user.deep.er }}", 1),
        ("${{ user.tags[1] }}", "b"),
        ("${{ users[0].id }}", "x"),
        ("${{ users[*].id }}", ["x", "y"]),
        ("${{ users | length(@) }}", 2),
        ("a ${{ count }} b", "a 3 b"),
        ("${{ greeting }} ${{ greeting }}", "Hello Hello"),
        ("${{ user.tags }}!", '["a", "b"]!'),
        ("${{ yes }}!", "true!"),
        ("$${{ greeting }}", "${{ greeting }}"),
        ("$${{ ${{ count }}", "${{ 3"),
        ("$ { {greeting}}", "$ { {greeting}}"),
    ],
)
def test_substitutes(text, value):
    assert resolved(text) == value


def test_text_without_substitution_stays_a_text():
    assert parse_text("a }} b $${{ c", PLACE) == "a }} b ${{ c"


def test_whole_values_are_resolved_all_the_way_down():
    value = {"a": [parse_text("${{ count }}", PLACE), {"b": parse_text("${{ greeting }}!", PLACE)}], "c": 1}
    assert VARIABLES.resolve(value) == {"a": [3, {"b": "Hello!"}], "c": 1}


def test_what_is_no_text_is_written_as_json():
    assert VARIABLES.text(parse_text("${{ count }}", PLACE)) == "3"
    assert VARIABLES.text("as it is") == "as it is"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("${{ greetin }}", 'nothing is called "greetin" here', 'did you mean "greeting"?'),
        (
            "${{ zzz }}",
            'nothing is called "zzz" here',
            "there are: count, greeting, nothing, user, users, yes",
        ),
        ("${{ user.nmae }}", '"user" holds nothing at nmae', '"user" holds: id, tags, deep'),
        ("${{ greeting.x }}", '"greeting" holds nothing at x', '"greeting" holds: str'),
        ("${{ count | length(@) }}", "In function length()", ""),
        ("${{ greeting", '"${{" is never closed', "write ${{ name }}, or $${{ for the text itself"),
        ("${{ }}", '"${{  }}" names no variable', "write ${{ name }} or ${{ name.key }}"),
        ("${{ 5 }}", '"${{ 5 }}" names no variable', "write ${{ name }} or ${{ name.key }}"),
        ("${{ a b }}", 'after the name "a" comes "b"', "only a path may follow"),
        ("${{ a.[ }}", '".[" is no path', "https://jmespath.org"),
    ],
)
def test_what_cannot_be_substituted_is_told_with_its_place(text, problem, hint):
    with pytest.raises(ScenarioError) as caught:
        resolved(text)
    assert problem in caught.value.problem
    assert caught.value.hint.startswith(hint)
    assert caught.value.place == PLACE


def test_captured_values_are_seen_by_all_who_share_them():
    variables = Variables({"a": 1})
    inner = variables.scoped({"n": 2})
    inner.capture("a", 5)
    assert resolved("${{ a }}", variables) == 5
    assert resolved("${{ n }}", inner) == 2
    assert inner.names == ("a", "n")
    with pytest.raises(ScenarioError):
        resolved("${{ n }}", variables)


def test_local_variables_hide_captured_ones():
    variables = Variables()
    variables.capture("n", 1)
    inner = variables.scoped({"n": parse_text("${{ n }}0", PLACE)})
    assert resolved("${{ n }}", inner) == "10"
    assert resolved("${{ n }}", variables) == 1


def test_text_that_grows_without_end_is_refused():
    big = Variables({"a": "x" * (LONGEST_TEXT // 2 + 1)})
    with pytest.raises(ScenarioError, match="longer than 1,000,000"):
        resolved("${{ a }} ${{ a }}", big)


def test_nobody_set_anything():
    with pytest.raises(ScenarioError) as caught:
        resolved("${{ a }}", Variables())
    assert caught.value.hint == "declare it under variables: or capture it first"


def test_template_reads_as_it_was_written():
    template = parse_text("$${{ a ${{ user.id }}", PLACE)
    assert isinstance(template, Template)
    assert str(template) == "$${{ a ${{ user.id }}"
    assert [expression.name for expression in template.expressions] == ["user"]


@pytest.mark.parametrize("expression", ["[", "a..b", "(" * 500, "a" * 1001, "foo(", ""])
def test_what_is_no_jmespath_is_told(expression):
    assert complaint_about(expression)


@given(st.text())
def test_any_text_is_read_or_refused_with_its_place(text):
    place = PLACE
    try:
        assert isinstance(parse_text(text, PLACE), str | Template)
    except ScenarioError as error:
        place = error.place
    assert place == PLACE


@given(st.text(alphabet="${} ab", max_size=20))
def test_doubled_dollar_gives_back_any_text(text):
    escaped = text.replace("${{", "$${{")
    if "$$${{" not in escaped:
        assert parse_text(escaped, PLACE) == text
