"""API tokens of the user who asks."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post

from mailstead.administration.tokens import add_token, list_tokens, remove_token
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment, parse_moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.access.tokens import ApiToken, Scope


class TokenShown(msgspec.Struct, frozen=True):
    """A token without its text."""

    id: str
    label: str
    scopes: tuple[Scope, ...]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    last_ip: str
    object: str = "token"


class TokenMade(msgspec.Struct, frozen=True):
    """A token with its text, shown this once."""

    id: str
    token: str
    label: str
    scopes: tuple[Scope, ...]
    object: str = "token"


class TokenWanted(msgspec.Struct, frozen=True):
    """A token to be made."""

    label: Annotated[str, msgspec.Meta(max_length=100)] = ""
    scopes: tuple[Scope, ...] = ("read", "write", "send")
    expires_at: str | None = None


def shown(token: ApiToken) -> TokenShown:
    """The token as the API tells it."""
    return TokenShown(
        token.id,
        token.label,
        token.scopes,
        moment(token.created_at),
        None if token.expires_at is None else moment(token.expires_at),
        None if token.last_used_at is None else moment(token.last_used_at),
        token.last_peer,
    )


class TokenController(Controller):
    """/tokens"""

    path = "/tokens"
    tags = ("Tokens",)
    opt = {"access": USER}

    @get("/", summary="Your tokens")
    async def list_all(self, identity: Identity, services: ApiServices) -> list[TokenShown]:
        """Oldest first; their texts are not kept."""
        found = await list_tokens(identity.actor, services.identification.tokens, identity.actor.user_id)
        return [shown(token) for token in found]

    @post("/", summary="Make a token")
    async def add(self, data: TokenWanted, identity: Identity, services: ApiServices) -> TokenMade:
        """The text is shown this once."""
        token, text = await add_token(
            services.administration,
            identity.actor,
            services.identification.tokens,
            identity.actor.user_id,
            label=data.label,
            scopes=data.scopes,
            expires_at=None if data.expires_at is None else parse_moment(data.expires_at),
        )
        return TokenMade(token.id, text, token.label, token.scopes)

    @delete("/{token_id:str}", status_code=204, summary="Revoke a token")
    async def remove(self, token_id: str, identity: Identity, services: ApiServices) -> None:
        """Effective at once."""
        await remove_token(
            services.administration,
            identity.actor,
            services.identification.tokens,
            identity.actor.user_id,
            token_id,
        )
