"""Events as records: what a session saw, how one asks for some of it, and how it is shown safely."""
