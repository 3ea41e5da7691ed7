"""What is kept of an answer's look, and where two looks differ."""

from __future__ import annotations

from tribe_ws.check.shapes import ShapeDifference, Shapes, differences, merge, shape_of

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def places(one: object, other: object) -> list[tuple[str, str, str]]:
    return [(found.place, found.one, found.other) for found in differences(shape_of(one), shape_of(other))]


def test_nothing_of_a_text_is_kept() -> None:
    shape = shape_of({"token": "eyJsecret", "name": "Ana", "id": ID, "n": 1, "yes": True, "none": None})
    assert "secret" not in repr(shape)
    assert "Ana" not in repr(shape)
    assert {key: str(part) for key, part in shape.parts.items()} == {
        "token": "text", "name": "text", "id": "id", "n": "number", "yes": "boolean", "none": "null",
    }  # fmt: skip


def test_alike_answers_do_not_differ() -> None:
    assert places({"a": [1, 2], "b": "x"}, {"a": [3], "b": "y"}) == []


def test_a_missing_key_an_extra_key_and_another_order_are_told() -> None:
    assert places({"a": 1, "b": 1, "c": 1}, {"c": 1, "a": 1, "d": 1}) == [
        ("b", "there", "missing"),
        ("d", "missing", "there"),
        ("", "keys a, c", "keys c, a"),
    ]


def test_another_kind_is_told_with_its_place() -> None:
    one = {"list": [{"is_typing": True}]}
    assert places(one, {"list": [{"is_typing": "true"}]}) == [("list[].is_typing", "boolean", "text")]


def test_moments_differ_by_how_they_are_written() -> None:
    one, other = "2024-01-01T12:00:00.000Z", "2031-12-31T23:59:59.123456+00:00"
    ((place, first, second),) = places({"at": one}, {"at": other})
    assert (place, first) == ("at", "moment 0000-00-00T00:00:00.000Z")
    assert second == "moment 0000-00-00T00:00:00.000000+00:00"
    assert places({"at": one}, {"at": "2020-02-02T02:02:02.222Z"}) == []


def test_null_differs_from_nothing() -> None:
    assert places({"a": None}, {"a": {"b": 1}}) == []
    assert places({"a": []}, {"a": [1]}) == []


def test_several_answers_make_one_shape() -> None:
    both = merge(shape_of({"a": None, "b": [1]}), shape_of({"a": "x", "b": [None], "c": 1}))
    assert list(both.parts) == ["a", "b", "c"]
    assert str(both.parts["a"]) == "null or text"
    assert str(both.parts["b"].items) == "null or number"
    assert list(differences(both, shape_of({"a": "y", "b": [2], "c": 2}))) == []


def test_what_is_deep_or_endless_is_cut() -> None:
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    assert "…" in repr(shape_of(deep))
    assert len(shape_of({str(number): 1 for number in range(1000)}).parts) == 100


def test_calls_are_named_without_ids_and_documents_left_out() -> None:
    shapes = Shapes()
    shapes.note_answer("GET", f"/conversations/{ID}", 200, {"id": ID})
    shapes.note_answer("GET", "/openapi.json", 200, {"paths": {}})
    shapes.note_frames([{"event": "pong"}, {"no": "event"}], None)
    shapes.note_frames([{"event": "pong", "ref": "1"}], "tribe.v2")
    assert list(shapes) == ["GET /conversations/{id} → 200", "pong", "pong (tribe.v2)"]
    assert list(differences(shapes["pong"], shapes["pong (tribe.v2)"])) == [
        ShapeDifference("ref", "missing", "there")
    ]


def test_a_server_cannot_make_it_keep_without_end() -> None:
    shapes = Shapes()
    shapes.note_frames(({"event": f"e{number}"} for number in range(10_000)), None)
    assert len(list(shapes)) == 500
