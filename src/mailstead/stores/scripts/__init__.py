"""Filter scripts of mailboxes, compiled once, and what their runs remember.

A mailbox's scripts are one document with their names, sizes and which is active, changed in one step by its version,
so that limits and the one active script hold among several writers; contents are documents of their own, never
changed. The mailbox "site" holds scripts that all others may include (RFC 6609 §3.2).
"""
