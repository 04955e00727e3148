"""Certificates: which are wanted, proving names to an ACME authority, obtaining, importing, and how they stand."""
