"""Stores; each has one contract."""
