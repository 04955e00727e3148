"""API tokens of users."""

from collections.abc import Sequence

from mailstead.administration.actor import Actor, Administration
from mailstead.foundation.errors import InvalidError, NotFoundError, PermissionDeniedError
from mailstead.stores.access.tokens import SCOPES, ApiToken, Scope, Tokens

TOKENS_LIMIT = 100
_LABEL_LIMIT = 100


async def add_token(
    administration: Administration,
    actor: Actor,
    tokens: Tokens,
    user_id: str,
    *,
    label: str,
    scopes: Sequence[Scope],
    expires_at: float | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for a user; returns it and its text, which is shown this once.

    `expires_at` is in seconds since the epoch. Raises InvalidError, PermissionDeniedError.
    """
    _require_self(actor, user_id)
    if "admin" in scopes and not actor.is_admin:
        raise PermissionDeniedError("Only a server admin may make a token with the scope admin")
    if not scopes or any(scope not in SCOPES for scope in scopes):
        raise InvalidError(f"Scopes are some of {', '.join(SCOPES)}")
    if len(label) > _LABEL_LIMIT:
        raise InvalidError(f"A label has at most {_LABEL_LIMIT} characters")
    if expires_at is not None and expires_at <= administration.clock.now():
        raise InvalidError("The token would have expired already")
    if len(await tokens.of_user(user_id)) >= TOKENS_LIMIT:
        raise InvalidError(f"At most {TOKENS_LIMIT} tokens")
    token, text = await tokens.add(user_id, label, tuple(dict.fromkeys(scopes)), expires_at)
    await administration.audit(actor, "token.add", user_id, token=token.id, label=label, scopes=list(token.scopes))
    return token, text


async def list_tokens(actor: Actor, tokens: Tokens, user_id: str) -> list[ApiToken]:
    """A user's tokens, oldest first. Raises PermissionDeniedError."""
    _require_self(actor, user_id)
    return await tokens.of_user(user_id)


async def remove_token(
    administration: Administration, actor: Actor, tokens: Tokens, user_id: str, identifier: str
) -> None:
    """Revoke a token. Raises NotFoundError, PermissionDeniedError."""
    _require_self(actor, user_id)
    if not await tokens.remove(user_id, identifier):
        raise NotFoundError("There is no such token")
    await administration.directory.announce()  # long connections look at what let them in
    await administration.audit(actor, "token.remove", user_id, token=identifier)


def _require_self(actor: Actor, user_id: str) -> None:
    if not actor.is_admin and actor.user_id != user_id:
        raise PermissionDeniedError
