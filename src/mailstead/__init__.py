"""Mailstead: a complete self-hosted email system."""

__version__ = "0.1.0"
