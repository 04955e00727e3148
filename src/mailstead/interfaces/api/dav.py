"""Calendars, address books and what is in them, as the API names them: ids, properties and ETags."""

import re

from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.protocols.dav.names import a, c, d, i
from mailstead.protocols.dav.xml.reader import XmlBounds, XmlError, read_xml
from mailstead.protocols.dav.xml.writer import attribute, escape
from mailstead.stores.mailbox.dav.records import Collection, Kind, NoSuchCollectionError, NoSuchObjectError, ObjectRow
from mailstead.stores.mailbox.mailbox import Mailbox

NAME = d("displayname")
COLOR = i("calendar-color")
DESCRIPTIONS: dict[Kind, str] = {"calendar": c("calendar-description"), "addressbook": a("addressbook-description")}
TIME_ZONE = c("calendar-timezone-id")

_ID = re.compile(r"([A-Z])(\d{1,18})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9@._-]{1,200}", re.ASCII)
_BOUNDS = XmlBounds(size=256 * 1024, depth=8, elements=100)


def identifier(letter: str, number: int) -> str:
    """An id of the API."""
    return f"{letter}{number}"


def number_of(letter: str, text: str) -> int:
    """The number in an id. Raises NotFoundError for what is none."""
    found = _ID.fullmatch(text)
    if found is None or found[1] != letter or int(found[2]) >= 2**63:
        raise NotFoundError("There is no such object")
    return int(found[2])


def found_collection(mailbox: Mailbox, kind: Kind, letter: str, text: str) -> Collection:
    """The collection of an id, the first of its kind for "". Raises NotFoundError. Runs on a thread."""
    everything = mailbox.dav.collections(kind)
    if not text:
        usual = [one for one in everything if one.name == "default"] or everything
        if not usual:
            raise NoSuchCollectionError
        return usual[0]
    number = number_of(letter, text)
    for one in everything:
        if one.id == number:
            return one
    raise NoSuchCollectionError


def found_object(mailbox: Mailbox, kind: Kind, letter: str, text: str) -> tuple[Collection, ObjectRow, bytes]:
    """The object of an id with its octets. Raises NotFoundError. Runs on a thread."""
    collection, row = mailbox.dav.located(number_of(letter, text))
    data = mailbox.dav.read([row.id]).get(row.id)
    if collection.kind != kind or data is None:
        raise NoSuchObjectError
    return collection, row, data


def object_name(wanted: str, ending: str) -> str:
    """The name of an object that a client chose. Raises InvalidError."""
    if not _NAME.fullmatch(wanted) or wanted.startswith("."):
        raise InvalidError("An object's name has letters, digits and @._- only")
    return wanted if wanted.endswith(ending) else wanted + ending


def text_property(properties: dict[str, bytes], name: str) -> str:
    """The text of a property that a client set, over the API or DAV."""
    value = properties.get(name)
    if value is None:
        return ""
    try:
        return read_xml(value, _BOUNDS).text
    except XmlError:
        return ""


def property_value(name: str, text: str | None) -> bytes | None:
    """A property as it is stored; None, which removes it, for no text."""
    if not text:
        return None
    namespace, local = name[1:].split("}")
    return f'<{local} xmlns="{attribute(namespace)}">{escape(text)}</{local}>'.encode()
