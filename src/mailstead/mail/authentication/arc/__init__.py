"""ARC (RFC 8617): the chain of those who handled a message, and what each of them found out about it.

`chain` collects the sets, `verify` validates them, `seal` adds ours. A chain says nothing until its sealers are trusted.
"""
