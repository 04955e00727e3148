"""Live events over WebSocket (RFC 6455): what changes in a mailbox, and what becomes of what it sent.

An event on the bus only says that something changed; what it is, is read from the mailbox by modseqs and sync tokens.
So no event is lost however they are joined, and a slow client costs nothing but its own delay.
"""
