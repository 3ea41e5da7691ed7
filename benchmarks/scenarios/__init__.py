"""The scenarios: each measures all its contestants once per pass, one right after the other.

The order turns from pass to pass, so that nobody always runs first.
"""
