"""DKIM (RFC 6376, RFC 8301, RFC 8463): canonical forms, signing, and verifying within bounds.

`verify` looks at a message's signatures: keys are fetched at once, the body is read once for each way in which it has
to be hashed, and costly arithmetic runs on a thread. ARC is made of the same pieces.
"""
