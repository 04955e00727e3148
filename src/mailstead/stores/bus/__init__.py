"""The bus: events, counters, leases and short-lived values, shared by the processes of an installation.

Three engines of one contract (interface.py): memory (one process), a unix socket under DATA (the processes of one
host, the first of which serves the others), and Redis. The bus is never the truth: an event may be lost, and `on_gap`
says so; a counter may start again; whoever must not act twice uses the document store or a lease's fencing token.
"""
