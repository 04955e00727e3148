"""What is wrong with an archive."""


class ArchiveError(ValueError):
    """The archive cannot be read; the text says why."""
