"""Text from bytes in whatever charset a message claims; never fails."""

import codecs
import encodings
import re
from encodings.aliases import aliases

_ALIASES = {
    "unicode-1-1-utf-7": "utf-7",
    "x-unknown": "latin-1",
    "unknown-8bit": "latin-1",
    "default": "latin-1",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "gb2312": "gb18030",
    "x-gbk": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "x-euc-jp": "euc_jp",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "latin-1",
    "us-ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
    "x-mac-cyrillic": "mac_cyrillic",
    "macintosh": "mac_roman",
    "cp-850": "cp850",
    "windows-31j": "cp932",
}
_NAME = re.compile(r"[a-z0-9_.:+-]{1,40}")
# codecs of Python that are not text encodings, or that can explode or run long on hostile input
_REFUSED = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})

# unknown names are not looked up: Python keeps every one it was ever asked for
_KNOWN = (
    frozenset(aliases)
    | frozenset(aliases.values())
    | frozenset(_ALIASES.values())
    | frozenset(
        [
            "cp720",
            "cp737",
            "cp856",
            "cp874",
            "cp875",
            "cp1006",
            "koi8_r",
            "koi8_t",
            "koi8_u",
            "utf_8_sig",
            "mac_arabic",
            "mac_croatian",
            "mac_farsi",
            "mac_romanian",
        ]
    )
)
_REPLACED = re.compile("\ufffd+")
_BEYOND_ASCII = re.compile("[^\0-\x7f\ufffd]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def codec_name(charset: str) -> str | None:
    """The codec for a charset's name, None when it is unknown or no text encoding."""
    name = charset.strip().strip("\"'").lower()
    name = _ALIASES.get(name, name)
    if not _NAME.fullmatch(name) or (name not in _KNOWN and encodings.normalize_encoding(name) not in _KNOWN):
        return None
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if found.name.replace("-", "_") in _REFUSED or not found._is_text_encoding:
        return None
    return found.name


def decode(data: bytes, charset: str = "") -> str:
    """`data` in `charset`; UTF-8 when that fits and nothing better is known, else Latin-1. Never raises."""
    if not charset or charset.lower() in ("us-ascii", "ascii"):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("latin-1")
    codec = codec_name(charset)
    if codec is None:
        return decode(data)
    try:
        text = data.decode(codec, "replace")
    except (UnicodeError, ValueError, LookupError):
        return decode(data)
    if codec == "utf-8" and _is_something_else(text):
        return data.decode("cp1252", "replace")
    # only UTF-7 gives halves of pairs, and no text with one can be stored
    return _SURROGATES.sub("\ufffd", text) if codec == "utf-7" else text


def _is_something_else(text: str) -> bool:
    """Whether text that calls itself UTF-8 is most likely Windows-1252: nothing but ASCII in it could be decoded.

    A single broken place at the end is a character that was cut.
    """
    broken = _REPLACED.search(text)
    if broken is None or broken.end() == len(text):
        return False
    return _BEYOND_ASCII.search(text) is None
