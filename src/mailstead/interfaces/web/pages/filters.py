"""Filters: an answer while away, rules by a form, and Sieve scripts as text, checked as they are kept."""

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.params import QueryParameter

from mailstead.administration.aliases import set_alias
from mailstead.administration.scripts import (
    activate_script,
    get_script,
    list_scripts,
    put_script,
    remove_script,
)
from mailstead.foundation.errors import InvalidError, MailsteadError, NotFoundError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.pages.mail import opened, shown_folders
from mailstead.interfaces.web.rules import NAME, Rule, read_rule, read_rules, write_rules
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.directory.records import Alias, VacationResponder

_DAY = 86400.0
Name = Annotated[str, QueryParameter(max_length=512)]


def _day(text: str, *, is_end: bool) -> float | None:
    """A day of a form in epoch seconds (UTC), None for nothing; the end is the day's end. Raises InvalidError."""
    if not text:
        return None
    try:
        moment = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise InvalidError("A day is written as 2026-12-31") from None
    return moment + _DAY if is_end else moment


def _written_day(moment: float | None, *, is_end: bool) -> str:
    if moment is None:
        return ""
    return datetime.fromtimestamp(moment - (_DAY if is_end else 0), UTC).strftime("%Y-%m-%d")


class FilterPages(Controller):
    """/account/filters"""

    path = "/account/filters"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        script: Name = "",
        told: str = "",
    ) -> Response[bytes]:
        """All of them, and one script to be written on."""
        return await self._page(request, services, identity, script=script, told=told)

    @post("/vacation", status_code=200)
    async def vacation(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Keep the answer while away."""
        form = await request.form()
        text = {name: str(form.get(name) or "") for name in ("start", "end", "subject", "message", "days")}
        try:
            responder = VacationResponder(
                enabled=bool(form.get("enabled")),
                start=_day(text["start"], is_end=False),
                end=_day(text["end"], is_end=True),
                subject=text["subject"].strip(),
                message=text["message"].replace("\r\n", "\n").strip(),
                days=int(text["days"]) if text["days"].isascii() and text["days"].isdigit() else 4,
            )
            await set_alias(services.api.administration, identity.actor, identity.address, {"vacation": responder})
        except MailsteadError as error:
            return await self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/account/filters?told=saved")

    @post("/rules", status_code=200)
    async def rules(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Add a rule, or take one out; the script that they make up runs from now on."""
        form = await request.form()
        administration, actor, address = services.api.administration, identity.actor, identity.address
        rules = await self._rules(services, identity)
        try:
            if form.get("action") == "remove":
                place = str(form.get("place") or "")
                if not place.isdigit() or int(place) >= len(rules):
                    raise NotFoundError
                del rules[int(place)]
            else:
                rules.append(read_rule({name: str(value) for name, value in form.items()}))
            await put_script(administration, actor, address, NAME, write_rules(rules))
            await activate_script(administration, actor, address, NAME)
        except MailsteadError as error:
            if isinstance(error, NotFoundError):
                raise
            return await self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/account/filters?told=saved")

    @post("/script", status_code=200)
    async def script(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Keep a script when it is right, make it the one that runs, or remove it."""
        form = await request.form()
        administration, actor, address = services.api.administration, identity.actor, identity.address
        name, action = str(form.get("name") or "").strip(), str(form.get("action") or "")
        text = str(form.get("content") or "")
        try:
            match action:
                case "save":
                    await put_script(administration, actor, address, name, text.encode())
                case "activate":
                    await activate_script(administration, actor, address, name)
                case "deactivate":
                    await activate_script(administration, actor, address, "")
                case "remove":
                    await remove_script(administration, actor, address, name)
                    name = ""
                case _:
                    raise InvalidError("This cannot be done with scripts")
        except MailsteadError as error:
            return await self._page(
                request,
                services,
                identity,
                script=name if action != "save" else "",
                typed=(name, text) if action == "save" else None,
                problem=error.public_text,
                status=error.http_status,
            )
        return moved("/account/filters?told=saved#scripts")

    @staticmethod
    async def _rules(services: WebServices, identity: Identity) -> list[Rule]:
        """The rules that there are. Raises InvalidError when a person wrote a script of that name."""
        scripts = await list_scripts(services.api.administration, identity.actor, identity.address)
        if scripts.find(NAME) is None:
            return []
        found = read_rules(await get_script(services.api.administration, identity.actor, identity.address, NAME))
        if found is None:
            raise InvalidError("The script Rules was written by hand: rename it first")
        return found

    async def _page(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        script: str = "",
        typed: tuple[str, str] | None = None,
        told: str = "",
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        administration, actor, address = services.api.administration, identity.actor, identity.address
        alias = await administration.directory.get(Alias, identity.alias_id)
        if alias is None:
            raise NotFoundError
        scripts = await list_scripts(administration, actor, address)
        rules: list[Rule] | None = []
        if scripts.find(NAME) is not None:
            rules = read_rules(await get_script(administration, actor, address, NAME))
        if typed is None and script:
            typed = (script, (await get_script(administration, actor, address, script)).decode("utf-8", "replace"))
        mailbox = await opened(services, identity)
        vacation = alias.vacation or VacationResponder()
        return render(
            request,
            services,
            "account/filters.html",
            identity=identity,
            vacation=vacation,
            start=_written_day(vacation.start, is_end=False),
            end=_written_day(vacation.end, is_end=True),
            rules=rules,
            scripts=scripts,
            rules_name=NAME,
            typed=typed,
            folders=await services.api.mailboxes.run(shown_folders, mailbox),
            told=told,
            problem=problem,
            status=status,
        )
