"""What came of a run, in the forms that people and build servers read."""
