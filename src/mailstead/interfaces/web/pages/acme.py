"""Proofs for an ACME authority (RFC 8555 §8.3)."""

from litestar import Controller, Response, get
from litestar.exceptions import NotFoundException

from mailstead.administration.certificates.proving import shown_proof
from mailstead.interfaces.api.access import OPEN
from mailstead.interfaces.web.services import WebServices


class AcmePages(Controller):
    """/.well-known/acme-challenge, open to all."""

    include_in_schema = False

    @get("/.well-known/acme-challenge/{token:str}", opt={"access": OPEN})
    async def show(self, token: str, services: WebServices) -> Response[bytes]:
        """The text that proves a name to be ours, while a certificate is obtained."""
        text = await shown_proof(services.api.administration.documents, token)
        if text is None:
            raise NotFoundException
        return Response(text.encode("ascii"), media_type="application/octet-stream")
