"""Names in a Maildir: flags in a file's name, folders of Maildir++ in a directory's.

    file = base [":2," flags];  flags = *letter in the order of ASCII       (https://cr.yp.to/proto/maildir.html)
    folder = *("." level), levels in modified UTF-7                         (Maildir++)

`,S=` in a base name is the size of the file, `,W=` its size with CRLF at every line's end: where both equal the file's
size, the file is the message octet for octet.
"""

import re

from mailstead.formats.modified_utf7 import decode_utf7

_LETTERS = {"D": 16, "F": 4, "R": 2, "S": 1, "T": 8}  # bits of the store's flags
_PASSED = "$Forwarded"
_SIZES = re.compile(r",(S|W)=(\d{1,15})")


def base_name(name: str) -> str:
    """What names the message wherever it is, whatever its flags."""
    return name.partition(":2,")[0]


def flags_of(name: str, letters: dict[str, str]) -> tuple[int, tuple[str, ...]]:
    """Flags and keywords of a file's name; `letters` are the keywords of the lower-case letters (Dovecot)."""
    info = name.partition(":2,")[2]
    flags = 0
    keywords = []
    for letter in info:
        flags |= _LETTERS.get(letter, 0)
        if letter == "P":
            keywords.append(_PASSED)
        elif letter in letters:
            keywords.append(letters[letter])
    return flags, tuple(keywords)


def info_of(flags: int, keywords: str, letters: dict[str, str]) -> str:
    """The flags' part of a file's name; `letters` by keyword, in lower case."""
    found = {letter for letter, bit in _LETTERS.items() if flags & bit}
    for keyword in keywords.split():
        if keyword.lower() == _PASSED.lower():
            found.add("P")
        elif keyword.lower() in letters:
            found.add(letters[keyword.lower()])
    return ":2," + "".join(sorted(found))


def is_exact(name: str, size: int) -> bool:
    """Whether the name says that a file of `size` octets has its message's own line ends."""
    sizes = {kind: int(value) for kind, value in _SIZES.findall(name)}
    return sizes.get("S") == size == sizes.get("W")


def folder_name(directory: str) -> str:
    """The folder of a Maildir++ directory, "/" between levels: ".Work.House" is Work/House."""
    try:
        decoded = decode_utf7(directory.removeprefix("."))
    except ValueError:
        decoded = directory.removeprefix(".")
    return "/".join(level for level in decoded.split(".") if level)
