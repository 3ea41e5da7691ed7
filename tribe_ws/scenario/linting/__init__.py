"""What can be said of a scenario without running it: one module for each kind of rule."""
