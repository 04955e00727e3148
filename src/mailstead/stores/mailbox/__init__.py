"""The mailbox: one encrypted SQLite database each."""
