"""Many aliases at once, as comma-separated values (RFC 4180): read with a word on each line, and written."""

import csv
import io
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile

from mailstead.administration.aliases import add_alias, list_aliases
from mailstead.foundation.errors import MailsteadError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.directory.records import Alias

_LINES_LIMIT = 1000
_OCTETS_LIMIT = 1024 * 1024
_HEAD = ("address", "forward_to", "mailbox", "description")
_RISKY = ("=", "+", "-", "@", "\t", "\r")


class LineDone(msgspec.Struct, frozen=True):
    """What came of a line: the password of a mailbox that was made, or what was wrong."""

    number: int
    address: str
    password: str = ""
    problem: str = ""


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text


class BulkAliasPages(Controller):
    """/account/aliases/bulk"""

    path = "/account/aliases/bulk"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """The form."""
        require_user(identity)
        return render(request, services, "account/aliases_bulk.html", identity=identity, done=[], typed="", cut=False)

    @post("/", status_code=200)
    async def read(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """Make an alias of each line; the others are made when one cannot be."""
        require_user(identity)
        form = await request.form()
        given = form.get("file")
        octets = await given.read() if isinstance(given, UploadFile) and given.filename else b""
        text = (octets[:_OCTETS_LIMIT].decode("utf-8-sig", "replace") or str(form.get("text") or ""))[:_OCTETS_LIMIT]
        rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
        if rows and rows[0][0].strip().lower() == _HEAD[0]:
            rows = rows[1:]
        done = [
            await self._line(services, identity, number, row) for number, row in enumerate(rows[:_LINES_LIMIT], start=1)
        ]
        return render(
            request,
            services,
            "account/aliases_bulk.html",
            identity=identity,
            done=done,
            typed="" if octets else text,
            cut=len(rows) > _LINES_LIMIT,
        )

    @get("/csv")
    async def write(self, services: WebServices, identity: Identity) -> Response[bytes]:
        """All aliases, in the form that is read."""
        require_user(identity)
        written = io.StringIO()
        table = csv.writer(written)
        table.writerow(_HEAD)
        for alias in await list_aliases(services.api.administration, identity.actor, None):
            table.writerow(self._row(alias))
        return Response(
            written.getvalue().encode(),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="aliases.csv"'},
        )

    @staticmethod
    def _row(alias: Alias) -> list[str]:
        mailbox = "yes" if alias.mailbox_id else "no"
        return [_cell(alias.address), _cell(" ".join(alias.forward_to)), mailbox, _cell(alias.description)]

    @staticmethod
    async def _line(services: WebServices, identity: Identity, number: int, row: list[str]) -> LineDone:
        cells = [cell.strip().removeprefix("'") for cell in row] + [""] * len(_HEAD)
        address, targets, mailbox = cells[:3]
        with_mailbox = mailbox.lower() in ("yes", "true", "1") or (not mailbox and not targets)
        try:
            alias, password = await add_alias(
                services.api.administration,
                identity.actor,
                address,
                forward_to=targets.replace(",", " ").split(),
                with_mailbox=with_mailbox,
            )
        except MailsteadError as error:
            return LineDone(number, address, problem=error.public_text)
        return LineDone(number, alias.address, password)
