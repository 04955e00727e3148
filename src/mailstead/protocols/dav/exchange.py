"""One request under way: who asks for what, and the means to answer."""

from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.mail.scheduling.delivery import SchedulingDelivery
from mailstead.protocols.dav.access import Access
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.hooks import Hooks
from mailstead.protocols.dav.message import Request
from mailstead.protocols.dav.resources import Holder
from mailstead.protocols.dav.xml.reader import Element, XmlBounds, XmlError, XmlLimitError, read_xml
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Account
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes

P = ParamSpec("P")
T = TypeVar("T")


class DavServices(msgspec.Struct, frozen=True):
    """What the server works with."""

    mailboxes: Mailboxes
    directory: Directory
    settings: Settings
    clock: Clock
    access: Access
    hooks: Hooks
    scheduling: SchedulingDelivery | None = None


class Exchange:
    """A request, its account and that account's own mailbox."""

    def __init__(self, request: Request, account: Account, own: Holder, services: DavServices) -> None:
        self.request = request
        self.account = account
        self.own = own
        self.services = services
        self.now = services.clock.now()

    @property
    def settings(self) -> Settings:
        """All settings."""
        return self.services.settings

    def spelled(self, href: str) -> str:
        """A path as this client writes paths: some write the @ of an address encoded, and compare what they see."""
        return href.replace("@", "%40") if "%40" in self.request.path else href

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` on a mailbox thread."""
        return await self.services.mailboxes.run(function, *args, **kwargs)

    async def run_short(self, mailbox: Mailbox, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, which reads a little of `mailbox`."""
        return await self.services.mailboxes.run_short(mailbox, function, *args, **kwargs)

    async def run_write(self, mailbox: Mailbox, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, one small transaction of `mailbox`."""
        return await self.services.mailboxes.run_write(mailbox, function, *args, **kwargs)

    def xml(self) -> Element | None:
        """The request's XML, None without a body. Raises DavError."""
        if not self.request.body:
            return None
        settings = self.settings.dav
        bounds = XmlBounds(settings.xml_size, settings.xml_depth, settings.xml_elements)
        try:
            return read_xml(self.request.body, bounds)
        except XmlLimitError as error:
            raise DavError(413, f"The request's XML: {error}") from None
        except XmlError as error:
            raise DavError(400, f"The request's XML: {error}") from None

    def wanted(self, tag: str) -> Element:
        """The request's XML, whose root is `tag`. Raises DavError."""
        root = self.xml()
        if root is None or root.tag != tag:
            raise DavError(400, f"The request's XML is not {tag}")
        return root

    @property
    def preferences(self) -> Mapping[str, str]:
        """Prefer (RFC 7240), and the older Brief."""
        found = {}
        for part in self.request.header("prefer").split(","):
            name, _, value = part.split(";")[0].partition("=")
            if name.strip():
                found[name.strip().lower()] = value.strip().strip('"')
        if self.request.header("brief").lower() == "t":
            found["return"] = "minimal"
        return found

    @property
    def is_minimal(self) -> bool:
        """Whether what is not there need not be told (RFC 8144 §2.1)."""
        return self.preferences.get("return") == "minimal"
