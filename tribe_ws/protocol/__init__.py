"""The wire contract, written down as types: no I/O, no clock, no SQL."""
