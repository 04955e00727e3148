"""The one error of reading content lines."""


class ContentError(ValueError):
    """The octets are not content lines of whole components, or pass a bound."""
