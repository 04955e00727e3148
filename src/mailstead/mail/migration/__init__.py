"""Reading mail from other IMAP servers: a client that asks for what a migration needs, and trusts nothing it is told.

The parser does no I/O. What a server sends is bounded before it is kept: lines, literals, folders, messages. Large
messages wait on disk. Nothing is changed there: folders are opened with EXAMINE, bodies read with BODY.PEEK.
"""
