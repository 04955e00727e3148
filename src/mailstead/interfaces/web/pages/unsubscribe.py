"""What a List-Unsubscribe link leads to (RFC 8058)."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from mailstead.interfaces.api.access import OPEN
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.mail.sending.suppression import SuppressionList
from mailstead.mail.sending.unsubscribe import Unsubscription, read_unsubscribe_token


class UnsubscribePages(Controller):
    """/unsubscribe/TOKEN, open to all: the token is the proof. Looking at it changes nothing, posting to it does."""

    include_in_schema = False

    @get("/unsubscribe/{token:str}", opt={"access": OPEN})
    async def show(self, request: Request[Any, Any, Any], services: WebServices, token: str) -> Response[bytes]:
        """Ask, for people who open the link."""
        wanted = _read(services, token)
        return render(request, services, "unsubscribe.html", wanted=wanted, is_done=False)

    @post("/unsubscribe/{token:str}", opt={"access": OPEN}, status_code=200)
    async def unsubscribe(self, request: Request[Any, Any, Any], services: WebServices, token: str) -> Response[bytes]:
        """Do it: for mail programs with one request and no cookie (RFC 8058 §3.2), for people by the button."""
        wanted = _read(services, token)
        api = services.api
        suppressions = SuppressionList(api.administration.documents, api.settings.sending, api.clock)
        await suppressions.add(wanted.domain, wanted.recipient, "unsubscribe", "by the link in a message")
        return render(request, services, "unsubscribe.html", wanted=wanted, is_done=True)


def _read(services: WebServices, token: str) -> Unsubscription:
    return read_unsubscribe_token(services.api.administration.directory.unsubscribe_secret, token)
