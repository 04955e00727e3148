"""The key that arriving mail of an alias is encrypted to: given as a file or text, found at its domain, or taken away."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import QueryParameter

from mailstead.administration.aliases import find_alias
from mailstead.administration.encryption import find_published_key, set_encryption
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.mail.encryption.key import KEY_LIMIT
from mailstead.stores.directory.records import Alias

Address = Annotated[str, QueryParameter(max_length=600)]


class EncryptionPages(Controller):
    """/account/aliases/key"""

    path = "/account/aliases/key"
    include_in_schema = False

    @get("/")
    async def show(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, address: Address
    ) -> Response[bytes]:
        """The key of an alias."""
        require_user(identity)
        alias = await find_alias(services.api.administration, identity.actor, address)
        return self._page(request, services, identity, alias)

    @post("/", status_code=200)
    async def change(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Set the key, or take it away."""
        require_user(identity)
        form = await request.form()
        administration, actor = services.api.administration, identity.actor
        alias = await find_alias(administration, actor, str(form.get("address", ""))[:600])
        action = str(form.get("action") or "")
        try:
            match action:
                case "set":
                    given = form.get("file")
                    file = await given.read(KEY_LIMIT + 1) if isinstance(given, UploadFile) else b""
                    key = file or str(form.get("text") or "").encode()
                    if not key.strip():
                        raise InvalidError("Give a key: a file, or its text")
                    alias = await set_encryption(administration, actor, alias.address, key)
                case "find":
                    key = await find_published_key(services.api.resolver, services.api.settings, alias.address)
                    alias = await set_encryption(administration, actor, alias.address, key)
                case "remove":
                    alias = await set_encryption(administration, actor, alias.address, None)
                case _:
                    raise InvalidError("This cannot be done with keys")
        except MailsteadError as error:
            return self._page(request, services, identity, alias, problem=error.public_text, status=error.http_status)
        return self._page(request, services, identity, alias, told="removed" if action == "remove" else "set")

    @staticmethod
    def _page(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        alias: Alias,
        *,
        problem: str = "",
        told: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        return render(
            request,
            services,
            "account/encryption.html",
            identity=identity,
            alias=alias,
            problem=problem,
            told=told,
            status=status,
        )
