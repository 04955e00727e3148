"""SMTP in three roles: mail exchanger (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033).

parser       bytes -> lines and message data, strict about CR LF          states   what may follow what, as a table
commands     lines -> frozen structs, by the grammar                     session  one conversation, without sockets
roles        what each role allows and does with a message               server   sessions on connections

Invariants: only CR LF ends a line and only CR LF "." CR LF a message; a positive reply to a message is sent after it is
durable; what a peer can make us hold is bounded by Settings.
"""
