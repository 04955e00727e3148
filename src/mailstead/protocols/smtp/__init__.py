"""SMTP in three roles (RFC 5321 mail exchanger, RFC 6409 submission, RFC 2033 LMTP)."""
