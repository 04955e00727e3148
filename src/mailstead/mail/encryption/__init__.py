"""Encryption of arriving mail to a key of the mailbox's owner: OpenPGP (RFC 3156) or S/MIME (RFC 8551).

What stands in the header stays readable, the content does not. Mail that is encrypted already is left as it is. Nothing
here reads a store: a message and a public key in, a message out.
"""
