"""Every clause of the contract as data: what the owner's document says, and what fixes what it leaves open.

Tests cite clauses by id, a contract check runs a probe for each, and a person is told which one was broken.
"""

from __future__ import annotations

from tribe_ws.protocol.clause import Clause
from tribe_ws.protocol.clauses_document import DOCUMENT
from tribe_ws.protocol.clauses_rest import REST
from tribe_ws.protocol.clauses_socket import SOCKET
from tribe_ws.protocol.clauses_tokens import TOKENS
from tribe_ws.protocol.clauses_v2 import V2

CLAUSES: tuple[Clause, ...] = (*DOCUMENT, *SOCKET, *V2, *TOKENS, *REST)
"""All clauses, in the order of the documents; every id occurs once."""

_BY_ID = {clause.id: clause for clause in CLAUSES}


def clause(clause_id: str) -> Clause:
    """Give the clause with that id; raises ``KeyError`` for an id nobody knows."""
    return _BY_ID[clause_id]
