"""IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051).

`grammar` turns bytes into frozen commands without I/O; `commands` has each command in its file and names them all in
one table; `session` carries them out, `server` is the loop over a connection. `view` is what a session sees of its
selected folder. The database is the truth: events of the bus only wake a session to look.
"""
