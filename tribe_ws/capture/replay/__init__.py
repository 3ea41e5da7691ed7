"""Plays a capture: to a screen, to a server as its clients, or to a client as its server."""
