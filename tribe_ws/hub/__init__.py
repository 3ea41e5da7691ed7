"""The connections that are open now: who is there, who listens to what, and what still waits to be sent."""
