"""Mail authentication: SPF, DKIM, DMARC, ARC, Authentication-Results, MTA-STS, DANE, TLSRPT.

Everything here gets a resolver, a message, a time, and returns results; nothing imports a store, and what a result
means for a message is decided by its caller. A lookup that fails is a "temperror" in a result, never an exception.
"""
