"""Runs scenarios: the stage and its people, the steps as they are taken, and what is waited for."""
