"""Telling junk from good mail: rules that hold from the first day, and words that are learned.

Words become numbers under a secret of the installation: neither the server's model nor a mailbox's names a word, and
nobody outside can choose words that collide. Memory and work are bounded by Settings whatever a message holds.
"""
