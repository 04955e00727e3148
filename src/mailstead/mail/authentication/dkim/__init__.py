"""DKIM (RFC 6376): canonicalisation and signing."""
