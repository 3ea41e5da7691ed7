"""Scripted conversations of several people: a short file that runs against any Tribe server."""
