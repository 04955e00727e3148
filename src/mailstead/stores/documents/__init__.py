"""Documents: SQLite and MongoDB engines of one contract."""
