"""Search: a tree of criteria, compiled to SQL, with full-text candidates that are verified."""
