from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.protocol.ids import canonical_id

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@given(st.uuids())
def test_the_hyphenated_form_in_either_case_becomes_lower_case(identity: UUID):
    assert canonical_id(str(identity)) == str(identity)
    assert canonical_id(str(identity).upper()) == str(identity)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "general",
        ID.replace("-", ""),
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        f" {ID}",
        f"{ID}\n",
        ID[:-1],
        ID + "0",
        ID.replace("0", "\N{DEVANAGARI DIGIT ZERO}"),
        ID.replace("-", "_"),
    ],
)
def test_any_other_spelling_is_no_id(text: str):
    assert canonical_id(text) is None


@given(st.text())
def test_what_is_an_id_is_its_own_canonical_form(text: str):
    found = canonical_id(text)
    assert found is None or canonical_id(found) == found
