"""The parts of the inspector's screens; each draws what it is given."""
