"""The chat inspector: draws what the library knows, and decides nothing."""
