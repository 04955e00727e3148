"""What opens the HTTP interfaces beside a mailbox's password: API tokens and web sessions.

Both are random texts of high entropy that only their owner has; what is stored is their hash (tokens) or what their
hash names (sessions). A stolen database opens neither.
"""
