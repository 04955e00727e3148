"""Documents in one SQLite file that several processes of a host share.

Reads run where they are asked for, within a budget of SQLite's steps, and go to a thread past it. Writes of one loop
share a transaction: their statements run on the loop (a few microseconds each), the commit and its fsync in a thread.
"""
