"""Writing: a new message, an answer, a forward, or a draft that goes on.

A message is saved as a draft before it is sent, and the draft becomes the copy in Sent afterwards: whatever is killed
in between, the text is not lost.
"""

from email.utils import getaddresses
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import Parameter, QueryParameter

from mailstead.formats.message.compose import Attachment, Composition, compose
from mailstead.formats.message.html import html_to_text
from mailstead.foundation.errors import InvalidError, MailsteadError, NotFoundError
from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.reading.envelope import EnvelopeShown, Person
from mailstead.interfaces.reading.listing import message_rows
from mailstead.interfaces.reading.message import MessageShown, part_octets, read_message
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.directory.names import InvalidAddressError
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Folder, NewMessage

_QUOTE_LIMIT = 100_000
_REFERENCES = 20
Place = Annotated[str, Parameter(pattern=r"^\d{1,10}\.\d{1,10}$")]


class Letter(msgspec.Struct, frozen=True):
    """The form's content. `source` is the message that is answered or forwarded, `draft` the draft that goes on."""

    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: str = ""
    in_reply_to: str = ""
    references: str = ""
    source: str = ""
    draft: str = ""
    kind: str = ""


def _folder(mailbox: Mailbox, use: str) -> Folder:
    for folder in mailbox.folders():
        if folder.special_use == use:
            return folder
    return mailbox.create_folder(use.lstrip("\\"), use)


def _read(mailbox: Mailbox, place: str) -> MessageShown:
    folder, uid = map(int, place.split("."))
    rows = message_rows(mailbox, folder, [uid])
    if not rows:
        raise NotFoundError("The message is not there any more")
    return read_message(mailbox.content(int(rows[0].id[1:])), rows[0])


def _listed(people: tuple[Person, ...], but: str = "") -> str:
    return ", ".join(str(person) for person in people if person.address.lower() != but.lower())


def _answering(message: MessageShown, place: str, own: str, *, everybody: bool) -> Letter:
    envelope: EnvelopeShown = message.row.envelope
    writers = envelope.reply_to or envelope.senders
    if all(person.address.lower() == own.lower() for person in writers):
        writers = envelope.to
    others = tuple(one for one in envelope.to + envelope.cc if one not in writers) if everybody else ()
    subject = envelope.subject if envelope.subject.lower().startswith("re:") else f"Re: {envelope.subject}"
    quoted = "\n".join(f"> {line}" for line in _plain(message).splitlines())
    who = writers[0].shown if writers else ""
    references = [one.strip("<>") for one in message.field("references").split()][-_REFERENCES:]
    return Letter(
        to=_listed(writers),
        cc=_listed(others, own),
        subject=subject,
        text=f"\n\n{who}:\n{quoted}\n" if quoted else "",
        in_reply_to=envelope.message_id,
        references=" ".join([*references, envelope.message_id]),
        source=place,
        kind="answer",
    )


def _plain(message: MessageShown) -> str:

    return (message.text or html_to_text(message.html))[:_QUOTE_LIMIT]


def _forwarding(message: MessageShown, place: str) -> Letter:
    envelope = message.row.envelope
    subject = envelope.subject if envelope.subject.lower().startswith(("fwd:", "fw:")) else f"Fwd: {envelope.subject}"
    head = f"From: {_listed(envelope.senders)}\nTo: {_listed(envelope.to)}\nSubject: {envelope.subject}\n"
    return Letter(subject=subject, text=f"\n\n---\n{head}\n{_plain(message)}", source=place, kind="forward")


def _continuing(message: MessageShown, place: str) -> Letter:
    envelope = message.row.envelope
    return Letter(
        to=_listed(envelope.to),
        cc=_listed(envelope.cc),
        bcc=_listed(envelope.bcc),
        subject=envelope.subject,
        text=message.text,
        in_reply_to=envelope.in_reply_to.strip("<>"),
        references=" ".join(one.strip("<>") for one in message.field("references").split()),
        draft=place,
    )


def _people(text: str) -> tuple[str, ...]:
    """Addresses of a field as they are written into the header. Raises InvalidAddressError."""
    found = []
    for name, address in getaddresses([text.replace(";", ",").replace("\n", " ")]):
        if not address:
            continue
        if "@" not in address:
            raise InvalidAddressError(f"{address}: not an address")
        found.append(str(Person(name, address)))
    return tuple(found)


class ComposePages(Controller):
    """/mail/compose"""

    path = "/mail/compose"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        answer: Place | None = None,
        everybody: Annotated[str | None, QueryParameter(name="all", pattern=r"^\d{1,10}\.\d{1,10}$")] = None,
        forward: Place | None = None,
        draft: Place | None = None,
        source: Annotated[str, Parameter(pattern=r"^(\d{1,10}\.\d{1,10})?$")] = "",
        kind: Literal["", "answer", "forward"] = "",
        to: str = "",
    ) -> Response[bytes]:
        """The form, filled from the message that is answered, forwarded or continued."""
        place = answer or everybody or forward or draft
        letter = Letter(to=to[:1000])
        if place is not None:
            mailbox = await self._open(services, identity)
            message = await services.api.mailboxes.run(_read, mailbox, place)
            if draft:
                letter = msgspec.structs.replace(_continuing(message, place), source=source, kind=kind)
            elif forward:
                letter = _forwarding(message, place)
            else:
                letter = _answering(message, place, identity.address, everybody=everybody is not None)
        return self._form(request, services, identity, letter)

    @post("/", status_code=200)
    async def send(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """Save as a draft, and send when that is asked for."""
        form = await request.form()
        letter = Letter(**{name: str(form.get(name) or "") for name in Letter.__struct_fields__})
        files = [value for value in form.getall("files", []) if isinstance(value, UploadFile) and value.filename]
        attachments = [
            Attachment(file.filename, file.content_type or "application/octet-stream", await file.read())
            for file in files
        ]
        mailbox = await self._open(services, identity)
        try:
            attachments += await services.api.mailboxes.run(_carried, mailbox, letter)
            raw, recipients = self._written(services, identity, letter, attachments)
            draft = await services.api.mailboxes.run(_save, mailbox, raw, letter)
            if form.get("action") == "draft":
                return moved(f"/mail/compose?draft={draft}&source={quote(letter.source)}&kind={quote(letter.kind)}")
            await services.api.agent.submit(
                user_id=identity.actor.user_id,
                sender=identity.address,
                recipients=recipients,
                message=raw,
                service="web",
            )
        except MailsteadError as error:
            return self._form(request, services, identity, letter, problem=error.public_text, status=error.http_status)
        await services.api.mailboxes.run(_sent, mailbox, draft, letter)
        folder = await services.api.mailboxes.run(mailbox.folder, "INBOX")
        return moved(f"/mail/f/{letter.source.partition('.')[0] or folder.id}?sent=1")

    def _written(
        self, services: WebServices, identity: Identity, letter: Letter, attachments: list[Attachment]
    ) -> tuple[bytes, list[str]]:
        """The message and who gets it. Raises InvalidError."""
        to, cc, bcc = _people(letter.to), _people(letter.cc), _people(letter.bcc)
        now = services.api.clock.now()
        try:
            raw = compose(
                Composition(
                    sender=identity.address,
                    to=to,
                    cc=cc,
                    bcc=bcc,
                    subject=" ".join(letter.subject.split()),
                    text=letter.text.replace("\r\n", "\n"),
                    attachments=tuple(attachments),
                    in_reply_to=letter.in_reply_to.strip("<> \r\n"),
                    references=tuple(letter.references.split()),
                    message_id=f"{new_ulid(now)}@{identity.address.rpartition('@')[2]}",
                    now=now,
                )
            )
        except ValueError as error:
            raise InvalidError(
                "An address or the subject cannot be written into a message", detail=str(error)
            ) from None
        recipients = [address for _, address in getaddresses([*to, *cc, *bcc])]
        return raw, recipients

    def _form(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        letter: Letter,
        *,
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        return render(
            request,
            services,
            "mail/compose.html",
            identity=identity,
            letter=letter,
            problem=problem,
            status=status,
        )

    @staticmethod
    async def _open(services: WebServices, identity: Identity) -> Mailbox:
        assert identity.key is not None
        return await services.api.mailboxes.open(identity.mailbox_id, identity.key)


def _carried(mailbox: Mailbox, letter: Letter) -> list[Attachment]:
    """Attachments that come along: of a forwarded message, and of the draft that goes on."""
    place = letter.draft or (letter.source if letter.kind == "forward" else "")
    if not place:
        return []
    folder, uid = map(int, place.split("."))
    rows = message_rows(mailbox, folder, [uid])
    if not rows:
        return []
    content = mailbox.content(int(rows[0].id[1:]))
    message = read_message(content, rows[0])
    paths = {attachment.path for attachment in message.attachments if not attachment.is_inline}
    return [
        Attachment(part.filename or "attachment", part.type, part_octets(content, part))
        for part in content.parts
        if part.path in paths
    ]


def _save(mailbox: Mailbox, raw: bytes, letter: Letter) -> str:
    """Put the draft in, take the one before it out; its place as `folder.uid`."""
    drafts = _folder(mailbox, "\\Drafts")
    (appended,) = mailbox.append(drafts.id, [NewMessage(raw, Flag.DRAFT | Flag.SEEN)])
    if letter.draft:
        folder, uid = map(int, letter.draft.split("."))
        if folder == drafts.id:
            mailbox.remove(folder, [uid])
    return f"{drafts.id}.{appended.uid}"


def _sent(mailbox: Mailbox, draft: str, letter: Letter) -> None:
    """The draft becomes the copy in Sent; the message it answers is marked."""
    folder, uid = map(int, draft.split("."))
    mailbox.store(folder, [(uid, uid)], "remove", Flag.DRAFT)
    mailbox.move(folder, [(uid, uid)], _folder(mailbox, "\\Sent").id)
    if letter.source:
        source, answered = map(int, letter.source.split("."))
        if letter.kind == "answer":
            mailbox.store(source, [(answered, answered)], "add", Flag.ANSWERED)
        else:
            mailbox.store(source, [(answered, answered)], "add", 0, ("$Forwarded",))
