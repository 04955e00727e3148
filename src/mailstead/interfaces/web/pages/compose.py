"""Writing: a new message, an answer, a forward, or a draft that goes on.

A message is saved as a draft before it is sent, and the draft becomes the copy in Sent afterwards: whatever is killed
in between, the text is not lost. What was sent can be taken back for as long as it waits, and is a draft again then.
"""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.params import Parameter, QueryParameter

from mailstead.administration.sending import take_back
from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.message.compose import Attachment
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.noting import noted
from mailstead.interfaces.web.acquaintances import acquaintances
from mailstead.interfaces.web.identities import own_addresses, writers
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import language_of, render
from mailstead.interfaces.web.told import told
from mailstead.interfaces.web.writing import (
    PLACE,
    Carried,
    Letter,
    Writer,
    answering,
    carried,
    carried_attachments,
    continuing,
    forwarding,
    new_letter,
    place_of,
    read_place,
    write,
)
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Folder, NewMessage

_SENT = "web.waiting"
_WAITING_KEPT = 500  # copies in Sent of messages that may be taken back
_YEAR = 366 * 86400.0
Place = Annotated[str, Parameter(pattern=r"^\d{1,10}\.\d{1,10}$")]
Named = Annotated[str, Parameter(pattern=PLACE)]


def special_folder(mailbox: Mailbox, use: str) -> Folder:
    """The folder of that use, made when it lacks. Runs on a thread."""
    for folder in mailbox.folders():
        if folder.special_use == use:
            return folder
    return mailbox.create_folder(use.lstrip("\\"), use)


def _fill(
    mailbox: Mailbox, addresses: list[str], want: str, place: str, to: str
) -> tuple[Letter, list[Writer], list[Carried]]:
    """The letter to begin with. Runs on a thread."""
    known = writers(mailbox, addresses)
    if not place:
        return new_letter(known[0], to), known, []
    message = read_place(mailbox, place)
    if want == "draft":
        letter = continuing(mailbox, message, place)
    else:
        envelope = message.row.envelope
        meant = {person.address.lower() for person in envelope.to + envelope.cc}
        writer = next((one for one in known if one.address in meant), known[0])
        if want == "forward":
            letter = forwarding(message, place, writer)
        else:
            letter = answering(message, place, writer, set(addresses), everybody=want == "all")
    return letter, known, carried(mailbox, letter)


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
        source: Named = "",
        kind: Literal["", "answer", "forward"] = "",
        to: str = "",
    ) -> Response[bytes]:
        """The form, filled from the message that is answered, forwarded or continued."""
        asked = (("answer", answer), ("all", everybody), ("forward", forward), ("draft", draft))
        want, place = next(((name, value) for name, value in asked if value), ("", ""))
        mailbox = await opened(services, identity)
        addresses = await own_addresses(services.api.administration, identity)
        letter, known, files = await services.api.mailboxes.run(_fill, mailbox, addresses, want, place, to[:1000])
        if draft:
            letter = msgspec.structs.replace(letter, source=source, kind=kind)
        return self._form(request, services, identity, letter, known, files)

    @get("/people")
    async def people(
        self,
        services: WebServices,
        identity: Identity,
        q: Annotated[str, QueryParameter(max_length=100)] = "",
    ) -> list[dict[str, str]]:
        """Whom the beginning of a name or address may mean."""
        mailbox = await opened(services, identity)
        dav = services.api.settings.dav
        found = await services.api.mailboxes.run(
            acquaintances, mailbox, q, ContentBounds(dav.object_size, dav.object_depth, dav.object_lines)
        )
        return [{"name": one.name, "address": one.address, "text": str(one)} for one in found]

    @post("/", status_code=200)
    async def send(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """Save as a draft, and send when that is asked for."""
        form = await request.form()
        is_quiet = request.headers.get("accept", "").startswith("application/json")
        letter = Letter(**{name: str(form.get(name) or "") for name in Letter.__struct_fields__})
        mailbox = await opened(services, identity)
        addresses = await own_addresses(services.api.administration, identity)
        known = await services.api.mailboxes.run(writers, mailbox, addresses)
        try:
            raw, recipients, sender = await self._written(services, mailbox, form, letter, known)
            draft = await services.api.mailboxes.run(_save, mailbox, raw, letter)
            if form.get("action") != "send":
                return await self._saved(services, mailbox, letter, draft, is_quiet=is_quiet)
            submitted = await services.api.agent.submit(
                user_id=identity.actor.user_id,
                sender=sender,
                recipients=recipients,
                message=raw,
                service="web",
                send_at=await self._time(services, identity, str(form.get("send_at") or "")),
            )
        except MailsteadError as error:
            if is_quiet:
                text = told(language_of(request, services), error.public_text)
                return Response(
                    msgspec.json.encode({"problem": text}),
                    status_code=error.http_status,
                    media_type="application/json",
                )
            files = await services.api.mailboxes.run(carried, mailbox, letter)
            return self._form(
                request,
                services,
                identity,
                letter,
                known,
                files,
                problem=error.public_text,
                status=error.http_status,
            )
        subject, now = " ".join(letter.subject.split()), services.api.clock.now()
        await services.api.sent.add(noted(identity, submitted, sender=sender, subject=subject, size=len(raw), now=now))
        waits = submitted.trace_id if submitted.release_at else ""
        folder = await services.api.mailboxes.run(_sent, mailbox, draft, letter, waits)
        query = {"told": "waits", "sent": waits} if waits else {"told": "sent"}
        return moved(f"/mail/f/{letter.source.partition('.')[0] or folder}?{urlencode(query)}")

    @post("/take-back", status_code=200)
    async def take_back(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Take back what waits to be sent: it is a draft again."""
        trace_id = str((await request.form()).get("id", ""))
        return moved(f"/mail/compose?draft={await taken_back(services, identity, trace_id)}")

    @staticmethod
    async def _time(services: WebServices, identity: Identity, text: str) -> float:
        """When to send, in epoch seconds; the account's time for taking back at least. Raises InvalidError."""
        now = services.api.clock.now()
        if text:
            try:
                wanted = float(text)
            except ValueError:
                raise InvalidError("This is no time to send at") from None
            if not now < wanted < now + _YEAR:
                raise InvalidError("The time to send at is past, or more than a year away")
            return wanted
        alias = await services.api.administration.directory.get(Alias, identity.alias_id)
        undo = services.api.settings.web.undo_send
        if alias is not None and alias.undo is None and services.api.settings.sending.undo == 0 and undo:
            return now + undo
        return 0.0

    @staticmethod
    async def _written(
        services: WebServices, mailbox: Mailbox, form: FormMultiDict, letter: Letter, known: list[Writer]
    ) -> tuple[bytes, list[str], str]:
        """The message, who gets it, and the address that writes it. Raises MailsteadError."""
        files = [value for value in form.getall("files", []) if isinstance(value, UploadFile) and value.filename]
        attachments = [
            Attachment(file.filename, file.content_type or "application/octet-stream", await file.read())
            for file in files
        ]
        dropped = {str(path) for path in form.getall("drop", [])}
        writer = next((one for one in known if one.address == letter.sender), known[0])
        attachments = await services.api.mailboxes.run(carried_attachments, mailbox, letter, dropped) + attachments
        raw, recipients = await services.api.mailboxes.run(write, letter, writer, attachments, services.api.clock.now())
        return raw, recipients, writer.address

    @staticmethod
    async def _saved(
        services: WebServices, mailbox: Mailbox, letter: Letter, draft: str, *, is_quiet: bool
    ) -> Response[bytes]:
        if not is_quiet:
            query = urlencode({"draft": draft, "source": letter.source, "kind": letter.kind})
            return moved(f"/mail/compose?{query}")
        now = msgspec.structs.replace(letter, draft=draft)
        files = await services.api.mailboxes.run(carried, mailbox, now)
        told = {"draft": draft, "files": [msgspec.to_builtins(file) for file in files]}
        return Response(msgspec.json.encode(told), media_type="application/json")

    @staticmethod
    def _form(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        letter: Letter,
        known: list[Writer],
        files: list[Carried],
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
            writers=known,
            files=files,
            problem=problem,
            status=status,
        )


async def taken_back(services: WebServices, identity: Identity, trace_id: str) -> str:
    """Take back what waits to be sent; the place of the draft that it is again. Raises NotFoundError, TooLateError."""
    mailbox = await opened(services, identity)
    taken = await take_back(services.api.administration, identity.actor, services.api.queue, trace_id)
    await services.api.sent.cancelled(trace_id)
    return await services.api.mailboxes.run(_taken_back, mailbox, trace_id, taken.message)


def _save(mailbox: Mailbox, raw: bytes, letter: Letter) -> str:
    """Put the draft in, take the one before it out; its place as `folder.uid`."""
    drafts = special_folder(mailbox, "\\Drafts")
    message = NewMessage(raw, Flag.DRAFT | Flag.SEEN)
    if letter.draft:
        folder, uid = place_of(letter.draft)
        replaced = mailbox.replace(folder, uid, drafts.id, message) if folder == drafts.id else None
        if replaced is not None:
            return f"{drafts.id}.{replaced.uid}"
    (appended,) = mailbox.append(drafts.id, [message])
    return f"{drafts.id}.{appended.uid}"


def _sent(mailbox: Mailbox, draft: str, letter: Letter, waits: str) -> int:
    """The draft becomes the copy in Sent; the message it answers is marked. The folder to go on with."""
    folder, uid = place_of(draft)
    mailbox.store(folder, [(uid, uid)], "remove", Flag.DRAFT)
    sent = special_folder(mailbox, "\\Sent")
    pairs = mailbox.move(folder, [(uid, uid)], sent.id).pairs
    if waits and pairs:
        kept = [one for one in mailbox.setting(_SENT) or [] if isinstance(one, dict)]
        here = {"trace": waits, "folder": sent.id, "uid": pairs[0][1]}
        mailbox.set_setting(_SENT, [*kept[1 - _WAITING_KEPT :], here])
    if letter.source:
        source, answered = place_of(letter.source)
        if letter.kind == "answer":
            mailbox.store(source, [(answered, answered)], "add", Flag.ANSWERED)
        else:
            mailbox.store(source, [(answered, answered)], "add", 0, ("$Forwarded",))
    return mailbox.folder("INBOX").id


def _taken_back(mailbox: Mailbox, trace_id: str, message: bytes) -> str:
    """The copy in Sent becomes the draft again, with its Bcc; what was taken back does where there is no copy."""
    drafts = special_folder(mailbox, "\\Drafts")
    kept = next((one for one in mailbox.setting(_SENT) or [] if one["trace"] == trace_id), None)
    if kept is not None:
        try:
            pairs = mailbox.move(kept["folder"], [(kept["uid"], kept["uid"])], drafts.id).pairs
        except NoSuchFolderError:
            pairs = []
        if pairs:
            uid = pairs[0][1]
            mailbox.store(drafts.id, [(uid, uid)], "add", Flag.DRAFT)
            return f"{drafts.id}.{uid}"
    (appended,) = mailbox.append(drafts.id, [NewMessage(message, Flag.DRAFT | Flag.SEEN)])
    return f"{drafts.id}.{appended.uid}"
