"""ManageSieve (RFC 5804): filter scripts put, read, checked and switched by mail programs.

The parser turns bytes into commands, the table says which are taken in which state, the session carries them out on
the store of scripts. Every change is durable before its OK.
"""
