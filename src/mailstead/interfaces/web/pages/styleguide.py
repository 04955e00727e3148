"""Every component on one page, for those who change them."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.exceptions import NotFoundException

from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render


class StyleguidePages(Controller):
    """/styleguide, where a setting shows it."""

    include_in_schema = False

    @get("/styleguide")
    async def show(self, request: Request[Any, Any, Any], services: WebServices) -> Response[bytes]:
        """The page."""
        if not services.api.settings.web.styleguide:
            raise NotFoundException
        return render(request, services, "styleguide.html")
