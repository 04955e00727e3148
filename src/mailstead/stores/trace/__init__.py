"""Every message's way, recorded and readable.

What happens to a message (received, accepted, delivered, queued, attempts, bounces) is one entry each, in plain words,
found by its addresses, its message-id and its queue id. Recording never waits and never fails: when the store is slower
than the mail, entries are dropped, counted, and the log says so. Nothing here decides about mail.
"""
