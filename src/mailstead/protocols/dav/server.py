"""A request in, a response out."""

from mailstead.foundation.errors import MailsteadError, OverQuotaError
from mailstead.protocols.dav.content import too_large
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import DavServices, Exchange
from mailstead.protocols.dav.hrefs import split_path
from mailstead.protocols.dav.kinds import BY_SEGMENT
from mailstead.protocols.dav.message import XML, Request, Response
from mailstead.protocols.dav.methods.options import options
from mailstead.protocols.dav.registry import Registry
from mailstead.protocols.dav.resources import Holder
from mailstead.protocols.dav.storing import over_quota
from mailstead.stores.directory.records import Account

TEXT = "text/plain; charset=utf-8"


class DavServer:
    """Answers requests of accounts."""

    def __init__(self, services: DavServices, registry: Registry) -> None:
        self.services = services
        self._registry = registry

    @property
    def methods(self) -> tuple[str, ...]:
        """All methods."""
        return ("OPTIONS", *self._registry.methods, "POST")

    def body_limit(self, method: str) -> int:
        """The most octets that a request of that method may have."""
        settings = self.services.settings.dav
        return settings.object_size if method in ("PUT", "POST") else settings.xml_size

    def too_large(self, method: str, path: str) -> DavError:
        """The refusal of a request whose body passes the limit; what is left of it is not read."""
        settings = self.services.settings.dav
        if method not in ("PUT", "POST"):
            return DavError(413, f"XML of a request has at most {settings.xml_size} octets", closes=True)
        segments = split_path(path)
        kind = BY_SEGMENT[segments[1]].kind if len(segments) > 1 and segments[1] in BY_SEGMENT else ""
        return too_large(kind, settings, closes=True)

    def options(self) -> Response:
        """What the server can do."""
        return options(self.methods, self._registry.features)

    async def respond(self, request: Request, account: Account) -> Response:
        """The response; whatever a request is refused with is one, too."""
        try:
            mailbox = await self.services.mailboxes.open(account.mailbox_id, account.key)
            quota = self.services.settings.mailbox.quota if account.quota is None else account.quota
            exchange = Exchange(request, account, Holder(account.address, mailbox, quota), self.services)
            await self.services.hooks.seen(exchange)
            return await self._answer(exchange)
        except OverQuotaError:
            return refusal(over_quota())
        except MailsteadError as error:
            return refusal(error)

    async def _answer(self, exchange: Exchange) -> Response:
        method = exchange.request.method
        if method == "OPTIONS":
            return self.options()
        if method == "POST":
            for takes, handler in self._registry.posts:
                if takes(exchange):
                    return await handler(exchange, self._registry.table)
        found = self._registry.methods.get(method)
        if found is None:
            raise DavError(405, "Method Not Allowed", headers=(("Allow", ", ".join(self.methods)),))
        return await found(exchange, self._registry.table)


def refusal(error: MailsteadError) -> Response:
    """The response that says why not."""
    if isinstance(error, DavError):
        document = error.document()
        if document:
            return Response(error.http_status, error.headers, document, XML, closes=error.closes)
        headers, closes = error.headers, error.closes
    else:
        headers, closes = (("Retry-After", "30"),) if error.temporary else (), False
    return Response(error.http_status, headers, f"{error.public_text}\n".encode(), TEXT, closes=closes)
