"""The Sieve language (RFC 5228): text in, a checked frozen program out; nothing here runs a script.

lexer -> parser -> tree (what was written) -> compiler, by the tables of `extensions` -> program (what is run)

Every step is bounded by `Bounds` and raises only ScriptError, which names line and column in one plain sentence.
"""
