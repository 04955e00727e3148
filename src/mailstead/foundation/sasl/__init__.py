"""SASL mechanisms, server side, without I/O (RFC 4422): bytes of the client in, a step out."""
