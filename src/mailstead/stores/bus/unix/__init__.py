"""The bus of one host: the first process that gets the lock serves the others over a unix socket.

When it dies, the lock is free, and the next process that finds the socket dead takes over. Counters and values are then
forgotten; leases are claimed again by those who held them, before others may have them.
"""
