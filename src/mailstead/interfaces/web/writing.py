"""What is written: the form's content, filled from the message that is answered, forwarded or continued, and made into
a message."""

import base64
import binascii
import re
from collections.abc import Collection
from email.headerregistry import Address
from email.utils import getaddresses
from html import escape

import msgspec
import nh3

from mailstead.formats.message.compose import Attachment, Composition, compose
from mailstead.formats.message.envelope_shown import EnvelopeShown, Person
from mailstead.formats.message.html import html_to_text
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.reading.harmless import harmless
from mailstead.interfaces.reading.listing import message_rows
from mailstead.interfaces.reading.message import MessageShown, part_octets, read_message
from mailstead.stores.directory.names import InvalidAddressError
from mailstead.stores.mailbox.mailbox import Mailbox

PLACE = r"^(\d{1,10}\.\d{1,10})?$"
_QUOTE_LIMIT = 100_000
_PICTURES_LIMIT = 50
_SHOWN_PICTURE = 2 * 1024 * 1024
_REFERENCES = 20
_TAGS = frozenset(("a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i", "img", "li", "ol"))
_MORE_TAGS = frozenset(("p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "tr", "u", "ul"))
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "*": {"dir"},
    "td": {"colspan"},
    "th": {"colspan"},
}
_PICTURE = re.compile(r'src="data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=]+)"')


class Letter(msgspec.Struct, frozen=True):
    """The form's content. `source` is the message that is answered or forwarded, `draft` the draft that goes on; `html`
    counts when `is_rich` is not empty."""

    sender: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    is_rich: str = ""
    in_reply_to: str = ""
    references: str = ""
    source: str = ""
    draft: str = ""
    kind: str = ""


class Writer(msgspec.Struct, frozen=True):
    """An address that the account may write as, with the name and the signature that go with it."""

    address: str
    name: str = ""
    signature: str = ""


class Carried(msgspec.Struct, frozen=True):
    """A file that the draft has, or that comes along from the message that is forwarded."""

    path: str
    filename: str
    size: int


def place_of(text: str) -> tuple[int, int]:
    """Folder and uid."""
    folder, _, uid = text.partition(".")
    return int(folder), int(uid)


def read_place(mailbox: Mailbox, place: str) -> MessageShown:
    """The message there. Raises NotFoundError."""
    folder, uid = place_of(place)
    rows = message_rows(mailbox, folder, [uid])
    if not rows:
        raise NotFoundError("The message is not there any more")
    return read_message(mailbox.content(int(rows[0].id[1:])), rows[0])


def new_letter(writer: Writer, to: str) -> Letter:
    """An empty one with the signature."""
    return Letter(sender=writer.address, to=to, text=_signed(writer), html=_signed_html(writer))


def _signed(writer: Writer) -> str:
    return f"\n\n-- \n{writer.signature}\n" if writer.signature else ""


def _signed_html(writer: Writer) -> str:
    if not writer.signature:
        return ""
    return f"<p><br></p><p>-- <br>{'<br>'.join(escape(line) for line in writer.signature.splitlines())}</p>"


def _listed(people: tuple[Person, ...], but: Collection[str] = ()) -> str:
    return ", ".join(str(person) for person in people if person.address.lower() not in but)


def _plain(message: MessageShown) -> str:
    return (message.text or html_to_text(message.html))[:_QUOTE_LIMIT]


def _rich(message: MessageShown) -> str:
    """The message as HTML that may be written on; pictures of elsewhere are left out."""
    if message.html:
        return clean_html(harmless(message.html[:_QUOTE_LIMIT], lambda _: None).html)
    return "".join(f"<p>{escape(line) or '<br>'}</p>" for line in message.text[:_QUOTE_LIMIT].splitlines())


def answering(message: MessageShown, place: str, writer: Writer, own: Collection[str], *, everybody: bool) -> Letter:
    """An answer to the writers, or to everybody but oneself."""
    envelope: EnvelopeShown = message.row.envelope
    writers = envelope.reply_to or envelope.senders
    if all(person.address.lower() in own for person in writers):
        writers = envelope.to
    others = tuple(one for one in envelope.to + envelope.cc if one not in writers) if everybody else ()
    subject = envelope.subject if envelope.subject.lower().startswith("re:") else f"Re: {envelope.subject}"
    plain = _plain(message)
    quoted = "\n".join(f"> {line}" for line in plain.splitlines())
    who = writers[0].shown if writers else ""
    references = [one.strip("<>") for one in message.field("references").split()][-_REFERENCES:]
    quote = f"<p>{escape(who)}:</p><blockquote>{_rich(message)}</blockquote>" if plain or message.html else ""
    return Letter(
        sender=writer.address,
        to=_listed(writers),
        cc=_listed(others, own),
        subject=subject,
        text=(f"\n\n{who}:\n{quoted}\n" if quoted else "") + _signed(writer),
        html=f"<p><br></p>{quote}{_signed_html(writer)}",
        in_reply_to=envelope.message_id,
        references=" ".join([*references, envelope.message_id]),
        source=place,
        kind="answer",
    )


def forwarding(message: MessageShown, place: str, writer: Writer) -> Letter:
    """The message passed on, with a head that says whose it is."""
    envelope = message.row.envelope
    subject = envelope.subject if envelope.subject.lower().startswith(("fwd:", "fw:")) else f"Fwd: {envelope.subject}"
    head = f"From: {_listed(envelope.senders)}\nTo: {_listed(envelope.to)}\nSubject: {envelope.subject}"
    lines = "<br>".join(escape(line) for line in head.splitlines())
    return Letter(
        sender=writer.address,
        subject=subject,
        text=f"{_signed(writer)}\n\n---\n{head}\n\n{_plain(message)}",
        html=f"<p><br></p>{_signed_html(writer)}<hr><p>{lines}</p>{_rich(message)}",
        source=place,
        kind="forward",
    )


def continuing(mailbox: Mailbox, message: MessageShown, place: str) -> Letter:
    """A draft that goes on; its own pictures come along in the HTML."""
    envelope = message.row.envelope
    content = mailbox.content(int(message.row.id[1:]))
    inline = {part.content_id.strip("<>"): part for part in message.parts if part.content_id}

    def picture(identifier: str) -> str | None:
        part = inline.get(identifier)
        if part is None or part.body_end - part.body_start > _SHOWN_PICTURE:
            return None
        return f"data:{part.type};base64,{base64.b64encode(part_octets(content, part)).decode()}"

    html = clean_html(harmless(message.html, picture).html) if message.html else ""
    return Letter(
        sender=envelope.senders[0].address if envelope.senders else "",
        to=_listed(envelope.to),
        cc=_listed(envelope.cc),
        bcc=_listed(envelope.bcc),
        subject=envelope.subject,
        text=message.text,
        html=html or "".join(f"<p>{escape(line) or '<br>'}</p>" for line in message.text.splitlines()),
        is_rich="yes" if message.html else "",
        in_reply_to=envelope.in_reply_to.strip("<>"),
        references=" ".join(one.strip("<>") for one in message.field("references").split()),
        draft=place,
    )


def clean_html(source: str) -> str:
    """The HTML that a letter may have: text with structure, links and pictures of its own."""
    cleaned: str = nh3.clean(
        source,
        tags={*_TAGS, *_MORE_TAGS},
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel", "data", "cid"},
        clean_content_tags={"script", "style"},
        link_rel=None,
    )
    return cleaned


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if value.startswith(("data:image/", "cid:")) else None
    if tag == "a" and name == "href":
        return value if value.lower().startswith(("http://", "https://", "mailto:", "tel:")) else None
    return value


def people(text: str) -> tuple[str, ...]:
    """Addresses of a field as they are written into the header. Raises InvalidAddressError."""
    found = []
    for name, address in getaddresses([text.replace(";", ",").replace("\n", " ")]):
        if not address:
            continue
        if "@" not in address:
            raise InvalidAddressError(f"{address}: not an address")
        found.append(str(Person(name, address)))
    return tuple(found)


def write(letter: Letter, writer: Writer, attachments: Collection[Attachment], now: float) -> tuple[bytes, list[str]]:
    """The message and who gets it. Raises InvalidError, InvalidAddressError."""
    to, cc, bcc = people(letter.to), people(letter.cc), people(letter.bcc)
    html, pictures = _with_pictures(clean_html(letter.html)) if letter.is_rich else ("", [])
    text = html_to_text(html) if html else letter.text.replace("\r\n", "\n")
    try:
        raw = compose(
            Composition(
                sender=str(Address(writer.name, addr_spec=writer.address)) if writer.name else writer.address,
                to=to,
                cc=cc,
                bcc=bcc,
                subject=" ".join(letter.subject.split()),
                text=text,
                html=f"<!doctype html><html><body>{html}</body></html>" if html else "",
                attachments=(*pictures, *attachments),
                in_reply_to=letter.in_reply_to.strip("<> \r\n"),
                references=tuple(letter.references.split()),
                message_id=f"{new_ulid(now)}@{writer.address.rpartition('@')[2]}",
                now=now,
            )
        )
    except ValueError as error:
        raise InvalidError("An address or the subject cannot be written into a message", detail=str(error)) from None
    return raw, [address for _, address in getaddresses([*to, *cc, *bcc])]


def _with_pictures(html: str) -> tuple[str, list[Attachment]]:
    """Pictures that stand in the HTML become parts beside it, which every mail program shows."""
    found: list[Attachment] = []

    def part(match: re.Match[str]) -> str:
        if len(found) >= _PICTURES_LIMIT:
            return 'src=""'
        try:
            content = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            return 'src=""'
        identifier = f"{new_ulid()}@picture"
        name = f"picture-{len(found) + 1}.{match[1].partition('/')[2]}"
        found.append(Attachment(name, match[1], content, identifier))
        return f'src="cid:{identifier}"'

    return _PICTURE.sub(part, html), found


def _carrying(letter: Letter) -> str:
    return letter.draft or (letter.source if letter.kind == "forward" else "")


def carried(mailbox: Mailbox, letter: Letter) -> list[Carried]:
    """The files that come along: of a forwarded message, and of the draft that goes on."""
    place = _carrying(letter)
    if not place:
        return []
    return [
        Carried(one.path, one.filename or "attachment", one.size)
        for one in read_place(mailbox, place).attachments
        if not one.is_inline
    ]


def carried_attachments(mailbox: Mailbox, letter: Letter, but: Collection[str]) -> list[Attachment]:
    """Their contents, without those whose paths are in `but`."""
    place = _carrying(letter)
    if not place:
        return []
    message = read_place(mailbox, place)
    content = mailbox.content(int(message.row.id[1:]))
    paths = {one.path for one in message.attachments if not one.is_inline and one.path not in but}
    return [
        Attachment(part.filename or "attachment", part.type, part_octets(content, part))
        for part in content.parts
        if part.path in paths
    ]
