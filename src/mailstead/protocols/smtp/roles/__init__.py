"""What the same protocol is used for: each role says which verbs and extensions it has and what becomes of a message."""
