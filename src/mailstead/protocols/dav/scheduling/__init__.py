"""Scheduling over CalDAV (RFC 6638): implicit scheduling when objects change, inbox and outbox, Schedule-Tag."""
