"""Makes scenarios of captures: who did what becomes steps, what came becomes expectations."""
