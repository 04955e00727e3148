"""Calendars and address books of a mailbox: collections of objects kept byte for byte, and the exact log of changes.

A sync token is the modseq of the transaction that changed the collection last. Modseqs are given out under the write
lock and only grow, so whatever a client did not see has a greater one than its token.
"""
