"""A backlog is bounded by number and by weight."""

from __future__ import annotations

from tribe_ws.hub.backlog import Backlog


def test_the_oldest_go_when_there_are_too_many():
    backlog: Backlog[str] = Backlog(2, 100)
    assert [backlog.put(item, 0) for item in "abc"] == [0, 0, 1]
    assert list(backlog) == ["b", "c"]


def test_the_oldest_go_when_they_are_too_heavy_but_never_the_newest():
    backlog: Backlog[str] = Backlog(10, 100)
    assert [backlog.put("a", 40), backlog.put("b", 40), backlog.put("c", 90)] == [0, 0, 2]
    assert backlog.put("d", 500) == 1
    assert list(backlog) == ["d"]
    assert backlog.put("e", 1) == 1


def test_what_is_taken_weighs_nothing_any_more():
    backlog: Backlog[str] = Backlog(10, 100)
    backlog.put("a", 99)
    assert backlog.take_all() == ["a"]
    assert len(backlog) == 0
    assert backlog.put("b", 99) == backlog.put("c", 1) == 0
