"""Runs Sieve scripts: program, message and environment in, actions out; no store, no network, no clock.

`run` is a function of its arguments. What it cannot know (whether a mailbox exists, whether an id was seen before, the
text of an included script) it asks for: it gives a Question, and is called again with the answer. A script that fails
gives the implicit keep and a sentence for its owner, never for the sender (RFC 5228 §2.10.6).
"""
