"""What the list of an archive says."""

import msgspec


class ListedFile(msgspec.Struct, frozen=True):
    """A file in an archive by its name there; `is_locked`: its content is behind a password."""

    name: str
    is_locked: bool = False


class Listing(msgspec.Struct, frozen=True):
    """The files of an archive; with `is_hidden` the list itself is behind a password, or cannot be read."""

    files: tuple[ListedFile, ...] = ()
    is_hidden: bool = False


HIDDEN = Listing(is_hidden=True)
