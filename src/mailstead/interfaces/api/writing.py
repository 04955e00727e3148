"""Messages as requests describe them, in nodemailer's words, and as they are written."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import unquote_to_bytes

import msgspec

from mailstead.formats.message.compose import (
    Alternative,
    Attachment,
    Composition,
    Priority,
    TextEncoding,
    compose,
)
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.identifiers import new_ulid

_TYPE = r"^[A-Za-z0-9][\w.+-]*/[\w.+-]+$"
_DATA_URL = re.compile(r"""(<img\b[^>]{0,2000}?\bsrc\s*=\s*["'])data:(image/[\w.+-]+);base64,([^"']*)(["'])""", re.I)
_METHOD = re.compile(r"[A-Za-z-]{1,20}")
_LIST_NAME = re.compile(r"[A-Za-z-]{1,40}")
_PARTS_LIMIT = 100
Addresses = str | list[str]
ContentType = Annotated[str, msgspec.Meta(pattern=_TYPE, max_length=100)]


class AttachmentGiven(
    msgspec.Struct, frozen=True, rename={"content_type": "contentType", "disposition": "contentDisposition"}
):
    """A file; `content` is base64, or plain text where `encoding` is utf-8. With a `cid` HTML can show it.

    Nothing is fetched from elsewhere: there is no `path` or `href`.
    """

    content: str
    filename: Annotated[str, msgspec.Meta(max_length=255)] = ""
    content_type: ContentType = "application/octet-stream"
    encoding: str = "base64"
    cid: Annotated[str, msgspec.Meta(max_length=200)] = ""
    disposition: str = "attachment"


class AlternativeGiven(msgspec.Struct, frozen=True, rename={"content_type": "contentType"}):
    """Another form of the text; `encoding` as with attachments."""

    content: str
    content_type: ContentType
    encoding: str = "utf-8"


class CalendarGiven(msgspec.Struct, frozen=True):
    """A calendar event that programs show as an invitation (RFC 6047 §2.4), as an attachment too."""

    content: Annotated[str, msgspec.Meta(min_length=1)]
    method: str = "PUBLISH"
    filename: Annotated[str, msgspec.Meta(max_length=255)] = "invite.ics"
    encoding: str = "utf-8"


class HeaderGiven(msgspec.Struct, frozen=True):
    """A header field."""

    key: str
    value: str


class ListLink(msgspec.Struct, frozen=True):
    """A link of a list header field with a comment."""

    url: str
    comment: str = ""


ListLinks = str | ListLink | list[str | ListLink]


class EmailWanted(
    msgspec.Struct,
    frozen=True,
    rename={
        "sender": "from",
        "author": "sender",
        "reply_to": "replyTo",
        "in_reply_to": "inReplyTo",
        "message_id": "messageId",
        "watch_html": "watchHtml",
        "attach_data_urls": "attachDataUrls",
        "ical_event": "icalEvent",
        "text_encoding": "textEncoding",
        "lists": "list",
    },
):
    """A message by its fields, or whole in `raw`. Addresses are texts as in a header field, or lists of them.

    A `date` that is to come, or `send_at`, lets it wait until then. `raw` is text, or base64 with that `encoding`.
    """

    sender: str = ""
    author: str = ""
    to: Addresses = ""
    cc: Addresses = ""
    bcc: Addresses = ""
    reply_to: Addresses = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    amp: str = ""
    watch_html: str = ""
    attachments: Annotated[list[AttachmentGiven], msgspec.Meta(max_length=_PARTS_LIMIT)] = msgspec.field(
        default_factory=list
    )
    alternatives: Annotated[list[AlternativeGiven], msgspec.Meta(max_length=_PARTS_LIMIT)] = msgspec.field(
        default_factory=list
    )
    ical_event: CalendarGiven | None = None
    attach_data_urls: bool = False
    in_reply_to: str = ""
    references: Addresses = ""
    headers: dict[str, str | list[str]] | list[HeaderGiven] = msgspec.field(default_factory=dict)
    lists: dict[str, ListLinks] = msgspec.field(default_factory=dict)
    priority: Priority = "normal"
    text_encoding: TextEncoding | None = None
    encoding: str = "utf-8"
    message_id: str = ""
    date: str | None = None
    send_at: str | None = None
    raw: str = ""


def listed(given: Addresses) -> tuple[str, ...]:
    """The texts of an address field that are not blank."""
    texts = [given] if isinstance(given, str) else given
    return tuple(text.strip() for text in texts if text.strip())


def raw_of(wanted: EmailWanted) -> bytes:
    """The whole message of `raw`. Raises InvalidError."""
    return _octets(wanted.raw, wanted.encoding, "raw")


def composed(wanted: EmailWanted, sender: str, hostname: str, now: float, dated: float) -> bytes:
    """The message by its fields, dated `dated`. Raises InvalidError."""
    domain = sender.rpartition("@")[2].strip("> ") or hostname
    html, pictures = _with_pictures(wanted.html, domain, now) if wanted.attach_data_urls else (wanted.html, [])
    files = [
        Attachment(
            one.filename or "attachment", one.content_type, _octets(one.content, one.encoding, one.filename), _cid(one)
        )
        for one in wanted.attachments
    ]
    plainer = [
        Alternative(kind, text.encode())
        for kind, text in (("text/watch-html", wanted.watch_html), ("text/x-amp-html", wanted.amp))
        if text
    ]
    richer = [
        Alternative(one.content_type, _octets(one.content, one.encoding, "alternative")) for one in wanted.alternatives
    ]
    if wanted.ical_event is not None:
        event, file = _calendar(wanted.ical_event)
        richer.append(event)
        files.append(file)
    try:
        return compose(
            Composition(
                sender=sender,
                author=wanted.author,
                to=listed(wanted.to),
                cc=listed(wanted.cc),
                bcc=listed(wanted.bcc),
                reply_to=listed(wanted.reply_to),
                subject=wanted.subject,
                text=wanted.text,
                html=html,
                plainer=tuple(plainer),
                richer=tuple(richer),
                attachments=(*files, *pictures),
                in_reply_to=wanted.in_reply_to.strip("<> "),
                references=tuple(text.strip("<>") for one in listed(wanted.references) for text in one.split()),
                priority=wanted.priority,
                header=(*_header(wanted), *_list_header(wanted)),
                encoding=wanted.text_encoding,
                message_id=wanted.message_id.strip("<> ") or f"{new_ulid(now)}@{domain}",
                now=dated,
            )
        )
    except (ValueError, LookupError) as error:
        raise InvalidError("A header field cannot be written: no line breaks, one of each", detail=str(error)) from None


def _cid(given: AttachmentGiven) -> str:
    return given.cid.strip("<> ")


def _octets(content: str, encoding: str, name: str) -> bytes:
    """Raises InvalidError."""
    match encoding.lower():
        case "utf-8" | "utf8":
            try:
                return content.encode()
            except UnicodeEncodeError:
                raise InvalidError(f"{name[:80]!r} has characters that have no form in UTF-8") from None
        case "base64":
            try:
                return base64.b64decode("".join(content.split()), validate=True)
            except (binascii.Error, ValueError):
                raise InvalidError(f"The attachment {name[:80]!r} is not base64") from None
        case "hex":
            try:
                return bytes.fromhex(content)
            except ValueError:
                raise InvalidError(f"The attachment {name[:80]!r} is not hexadecimal") from None
    raise InvalidError("An encoding is base64, hex or utf-8")


def _calendar(given: CalendarGiven) -> tuple[Alternative, Attachment]:
    if not _METHOD.fullmatch(given.method):
        raise InvalidError("The method of a calendar event is one word")
    octets = _octets(given.content, given.encoding, given.filename)
    event = Alternative("text/calendar", octets, (("method", given.method.upper()),))
    return event, Attachment(given.filename, "application/ics", octets)


def _header(wanted: EmailWanted) -> Iterator[tuple[str, str]]:
    if isinstance(wanted.headers, list):
        yield from ((one.key, one.value) for one in wanted.headers)
        return
    for name, values in wanted.headers.items():
        for value in [values] if isinstance(values, str) else values:
            yield name, value


def _list_header(wanted: EmailWanted) -> Iterator[tuple[str, str]]:
    """List-Help, List-Unsubscribe and their like (RFC 2369 §2), List-ID (RFC 2919 §3)."""
    for name, links in wanted.lists.items():
        if not _LIST_NAME.fullmatch(name):
            raise InvalidError(f"{name[:40]!r} is no name of a list field")
        field = f"List-{'-'.join(word.capitalize() for word in name.split('-'))}"
        each = links if isinstance(links, list) else [links]
        written = [_link(ListLink(one) if isinstance(one, str) else one, is_id=name.lower() == "id") for one in each]
        yield field, ", ".join(written)


def _link(link: ListLink, *, is_id: bool) -> str:
    url = link.url.strip()
    if any(letter in url for letter in "<>") or not url or not url.isprintable() or " " in url:
        raise InvalidError(f"{url[:60]!r} is no link of a list field")
    if is_id:
        return f"{link.comment} <{url}>".strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url):
        url = f"mailto:{url}" if "@" in url else f"https://{url}"
    comment = re.sub(r"[()\\]", "", link.comment)
    return f"<{url}> ({comment})" if comment else f"<{url}>"


def _with_pictures(html: str, domain: str, now: float) -> tuple[str, list[Attachment]]:
    """HTML whose data: pictures became parts that it shows; what is no base64 stays as it is."""
    pictures: list[Attachment] = []

    def replaced(found: re.Match[str]) -> str:
        try:
            content = base64.b64decode(unquote_to_bytes(found[3]), validate=True)
        except (binascii.Error, ValueError):
            return found[0]
        if len(pictures) >= _PARTS_LIMIT:
            return found[0]
        identifier = f"{new_ulid(now)}@{domain}"
        kind = found[2].lower()
        pictures.append(Attachment(f"picture-{len(pictures) + 1}.{kind.partition('/')[2]}", kind, content, identifier))
        return f"{found[1]}cid:{identifier}{found[4]}"

    return _DATA_URL.sub(replaced, html), pictures
