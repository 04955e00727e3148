"""Asynchronous DNS with cache."""
