"""DANE for SMTP (RFC 7672): certificates bound to names by DNSSEC.

Only answers that Settings call authenticated count: a resolver that validates, on a way that is safe.
"""
