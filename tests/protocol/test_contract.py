from __future__ import annotations

import re
from typing import get_args

import pytest

from tribe_ws.protocol.clause import Clause, Level
from tribe_ws.protocol.contract import CLAUSES, clause


def test_every_id_occurs_once():
    ids = [each.id for each in CLAUSES]
    assert sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize("each", CLAUSES, ids=lambda each: each.id)
def test_a_clause_is_a_sentence_with_a_readable_id(each: Clause):
    assert re.fullmatch(r"[a-z][a-z0-9]*\.[a-z0-9-]+", each.id)
    assert each.sentence.endswith((".", "…"))
    assert each.section.startswith(("document, ", "contract "))
    assert each.level in get_args(Level)


def test_a_clause_is_found_by_its_id():
    assert clause("ping.pong").section == "contract 3.2"
    with pytest.raises(KeyError):
        clause("ping.pang")
