"""The examination of an installation: does DNS, the network, the clock, TLS and the machine let its mail through?

`examine` runs the table of checks at once; each gives findings in plain words, with what to do. A check never changes
anything, never takes longer than the setting, and what it cannot find out is "unknown", not "ok".
"""
