"""The REST calls of contract 5, one module per subject; none of them knows SQL or a socket."""
