"""Judges any server against the contract, clause by clause, with evidence."""
