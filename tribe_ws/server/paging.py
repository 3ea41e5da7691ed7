"""The query parameters with which lists are read in pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

MAX_PAGE = 1_000_000
"""Far beyond any list, and small enough for every database's integers."""
MAX_LIMIT = 100

PageNumber = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Which page, from 1.")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many things to a page.")]
