"""Kinds of attachments: what may run, what holds macros, what is an archive; by file name and by first octets."""

import re

from mailstead.formats.archive.listing import Listing
from mailstead.formats.archive.rar import list_rar
from mailstead.formats.archive.seven_zip import SEVEN_ZIP, list_seven_zip

_EXECUTABLE = """
    ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab dll dmg ex exe hta iso img vhd vhdx inf ins isp jar jnlp js
    jse lib lnk mde mjs msc msi msix msp mst nsh pif ps1 ps1xml ps2 psc1 psm1 reg scf scr sct shb shs sys url vb vbe vbs vxd
    wsc wsf wsh xll library-ms search-ms settingcontent-ms application gadget appref-ms one
"""
_HARMLESS = """
    pdf doc docx xls xlsx ppt pptx txt jpg jpeg png gif bmp zip rar mp3 mp4 avi htm html csv rtf odt ods eml ics
"""
EXECUTABLE_EXTENSIONS = frozenset(_EXECUTABLE.split())
MACRO_EXTENSIONS = frozenset(("docm", "dotm", "xlsm", "xltm", "xlam", "xlsb", "pptm", "potm", "ppsm", "ppam", "sldm"))
_SHOWN_EXTENSIONS = frozenset(_HARMLESS.split())
ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_RAR = b"Rar!\x1a\x07"
_ARCHIVE_EXTENSIONS = frozenset(("zip", "rar", "7z", "jar", "gz", "tgz", "xz", "bz2", "tar", "ace", "arj", "lzh"))
_ELF, _MACHO = b"\x7fELF", (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
_LNK = bytes.fromhex("4c0000000114020000000000c000000000000046")
_MACRO_MARKS = ("_VBA_PROJECT".encode("utf-16-le"), "Macros".encode("utf-16-le"), b"Attribute VB_Name")
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_SPACES = re.compile(r"[\s\u00a0\u2000-\u200f\u202a-\u202e]+")
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")


def extensions(name: str) -> list[str]:
    """The extensions of a file name, last first, as systems read them: without blanks and dots at its end."""
    cleaned = _SPACES.sub("", name).rstrip(". ").lower().rpartition("/")[2].rpartition("\\")[2]
    return cleaned.split(".")[:0:-1][:4]


def hides_extension(name: str) -> bool:
    """Whether a name shows another extension than it has: two of them, or letters that turn the direction."""
    if _OVERRIDES.search(name):
        return True
    found = extensions(name)
    return len(found) > 1 and found[0] in EXECUTABLE_EXTENSIONS and found[1] in _SHOWN_EXTENSIONS


def executable_content(start: bytes) -> str:
    """What kind of program begins so, "" when it is none that is known."""
    if start.startswith(b"MZ"):
        return "a Windows program"
    if start.startswith(_ELF):
        return "a Linux program"
    if start.startswith(_MACHO):
        return "a macOS program"
    if start.startswith(_LNK):
        return "a Windows shortcut"
    return ""


def is_zip(start: bytes) -> bool:
    """Whether a zip archive begins so; Office documents and Java archives are such, too."""
    return start.startswith((ZIP, _EMPTY_ZIP))


def is_listed_archive(start: bytes) -> bool:
    """Whether an archive begins so of which only the list is looked at."""
    return start.startswith((_RAR, SEVEN_ZIP))


def list_archive(data: bytes, most: int) -> Listing:
    """The list of such an archive."""
    return list_seven_zip(data, most) if data.startswith(SEVEN_ZIP) else list_rar(data, most)


def is_named_archive(name: str) -> bool:
    """Whether a file name is that of an archive."""
    return (extensions(name) or [""])[0] in _ARCHIVE_EXTENSIONS


def has_old_macros(data: bytes) -> bool:
    """Whether an old Office document has macros."""
    return data.startswith(_OLE) and any(mark in data for mark in _MACRO_MARKS)


def is_encrypted_office(data: bytes) -> bool:
    """Whether an Office document is behind a password."""
    return data.startswith(_OLE) and _ENCRYPTED_PACKAGE in data


def is_encrypted_pdf(data: bytes) -> bool:
    """Whether a PDF is behind a password."""
    return data.startswith(b"%PDF-") and b"/Encrypt" in data
