"""Names of XML elements in Clark notation, `{namespace}local`, and how they are written."""

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
CARDDAV = "urn:ietf:params:xml:ns:carddav"
CALENDAR_SERVER = "http://calendarserver.org/ns/"
APPLE = "http://apple.com/ns/ical/"

PREFIXES = {DAV: "D", CALDAV: "C", CARDDAV: "A", CALENDAR_SERVER: "S", APPLE: "I"}
DECLARATIONS = "".join(f' xmlns:{prefix}="{namespace}"' for namespace, prefix in PREFIXES.items())
"""What the outermost element of an answer declares."""


def d(local: str) -> str:
    """A name of WebDAV."""
    return f"{{{DAV}}}{local}"


def c(local: str) -> str:
    """A name of CalDAV."""
    return f"{{{CALDAV}}}{local}"


def a(local: str) -> str:
    """A name of CardDAV."""
    return f"{{{CARDDAV}}}{local}"


def s(local: str) -> str:
    """A name of the calendarserver.org extensions."""
    return f"{{{CALENDAR_SERVER}}}{local}"


def i(local: str) -> str:
    """A name of Apple's calendar properties."""
    return f"{{{APPLE}}}{local}"


def parted(name: str) -> tuple[str, str]:
    """Namespace and local part; the namespace is empty without one."""
    if name.startswith("{"):
        namespace, _, local = name[1:].rpartition("}")
        return namespace, local
    return "", name
