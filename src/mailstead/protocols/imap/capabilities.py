"""What is offered, before and after the login (RFC 9051 §6.1.1)."""

from typing import TYPE_CHECKING

from mailstead.foundation.sasl.mechanism import MECHANISMS

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

REVISIONS = ("IMAP4rev1", "IMAP4rev2")
ALWAYS = ("SASL-IR", "LITERAL+", "ID", "ENABLE")
AFTER_LOGIN = (
    "BINARY",
    "CHILDREN",
    "COMPRESS=DEFLATE",
    "CONDSTORE",
    "CREATE-SPECIAL-USE",
    "ESEARCH",
    "ESORT",
    "IDLE",
    "INPROGRESS",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "METADATA",
    "MOVE",
    "MULTIAPPEND",
    "NAMESPACE",
    "NOTIFY",
    "OBJECTID",
    "PARTIAL",
    "PREVIEW",
    "QRESYNC",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "REPLACE",
    "SAVEDATE",
    "SEARCHRES",
    "SORT",
    "SORT=DISPLAY",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "UIDONLY",
    "UIDPLUS",
    "UNSELECT",
    "UTF8=ACCEPT",
    "WITHIN",
)


def capabilities(session: "Session") -> str:
    """The capability list of a session as it is now."""
    if session.mailbox is not None:
        limit = session.services.settings.message.size_limit
        offered = [*REVISIONS, *ALWAYS, *AFTER_LOGIN, f"APPENDLIMIT={limit}"]
        if session.compression is not None:
            offered.remove("COMPRESS=DEFLATE")
        return " ".join(offered)
    offered = [*REVISIONS, *ALWAYS]
    if session.may_start_tls:
        offered.append("STARTTLS")
    if session.may_login:
        offered += [f"AUTH={name}" for name in MECHANISMS]
    else:
        offered.append("LOGINDISABLED")
    return " ".join(offered)
