"""Clients that cost little: they ask, count what comes back, and notice a refusal."""


class RefusedError(Exception):
    """A server did not do what it was asked; the text is its answer."""
