"""How records look in answers: ages, pages and shortened texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tribe_ws.server.views import pagination, time_ago

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=-5), "just now"), (timedelta(0), "just now"), (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"), (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"), (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1), "1 day ago"), (timedelta(days=29), "29 days ago"),
        (timedelta(days=30), "1 month ago"), (timedelta(days=359), "11 months ago"),
        (timedelta(days=362), "1 year ago"), (timedelta(days=800), "2 years ago"),
    ],
    ids=str,
)  # fmt: skip
def test_age_is_said_as_people_say_it(age, text):
    assert time_ago(NOW - age, NOW) == text


@pytest.mark.parametrize(
    ("page", "limit", "total", "pages", "more"),
    [
        (1, 20, 0, 0, False),
        (1, 20, 20, 1, False),
        (1, 20, 21, 2, True),
        (2, 20, 21, 2, False),
        (9, 1, 3, 3, False),
    ],
)
def test_page_says_where_it_stands(page, limit, total, pages, more):
    found = pagination(page, limit, total)
    assert (found.total_pages, found.has_more) == (pages, more)
