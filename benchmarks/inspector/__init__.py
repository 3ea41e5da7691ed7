"""The chat inspector in a terminal of its own, fed by a socket that never sleeps."""
