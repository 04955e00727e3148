"""What can go wrong with keys."""

from mailstead.foundation.errors import InvalidError


class UnusableKeyError(InvalidError):
    """The key is none that mail can be encrypted to."""

    public_text = "Not a key that mail can be encrypted to"
