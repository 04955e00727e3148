"""Who asks over HTTP: a user's token, an address with its password, or a browser's session.

Credentials are taken under TLS, from loopback, or from a proxy that is trusted to have had TLS; elsewhere they would
travel in the clear.
"""

from typing import Literal

import msgspec

from mailstead.administration.actor import Actor
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import AuthenticationError, PermissionDeniedError
from mailstead.interfaces.credentials import basic_credentials
from mailstead.stores.access.passkeys import Passkeys
from mailstead.stores.access.sessions import Sessions, WebSession
from mailstead.stores.access.tokens import SCOPES, Scope, Tokens
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import ACCOUNT_LABEL, Account, Alias, User

Kind = Literal["token", "mailbox", "session"]
_OWN: frozenset[Scope] = frozenset(("read", "write", "send"))


class Identity(msgspec.Struct, frozen=True):
    """Who asks: `alias_id`, `mailbox_id` and `key` belong to the mailbox that a password or session opened.

    `is_user` when all of the user's rights were proved, by a token or the account password; an app password of a mail
    program opens its mailbox only.
    """

    kind: Kind
    is_user: bool
    actor: Actor
    user: User | None
    scopes: frozenset[Scope]
    credential: str
    address: str = ""
    alias_id: str = ""
    mailbox_id: str = ""
    key: DataKey | None = None
    session: WebSession | None = None

    def require(self, scope: Scope) -> None:
        """Raises PermissionDeniedError when the token does not have that scope."""
        if scope not in self.scopes:
            raise PermissionDeniedError(f"The token has no scope {scope}")

    def close(self) -> None:
        """Zero the mailbox's key."""
        if self.key is not None:
            self.key.close()


class Identification:
    """Finds out who asks."""

    def __init__(
        self,
        directory: Directory,
        authenticator: Authenticator,
        tokens: Tokens,
        sessions: Sessions,
        passkeys: Passkeys,
    ) -> None:
        self._directory = directory
        self._authenticator = authenticator
        self.tokens = tokens
        self.sessions = sessions
        self._passkeys = passkeys

    async def by_header(self, authorization: str, *, service: str, peer: str) -> Identity:
        """Basic with `token:` or `address:password`, or Bearer with a token (RFC 7617 §2, RFC 6750 §2.1).

        Raises AuthenticationError, TooManyFailuresError.
        """
        scheme, _, rest = authorization.strip().partition(" ")
        if scheme.lower() == "bearer":
            return await self.by_token(rest.strip(), peer)
        if scheme.lower() != "basic":
            raise AuthenticationError
        login, password = basic_credentials(rest)
        if not password:
            return await self.by_token(login, peer)
        return await self.by_password(login, password, service=service, peer=peer)

    async def by_token(self, text: str, peer: str) -> Identity:
        """The user of a token. Raises AuthenticationError."""
        token = await self.tokens.verify(text, peer)
        user = await self._directory.known(User, token.user_id) if token is not None else None
        if token is None or user is None:
            raise AuthenticationError
        may_administer = user.is_admin and "admin" in token.scopes
        actor = Actor(f"{user.address} (token {token.label or token.id})", "user", user.id, may_administer)
        return Identity("token", True, actor, user, frozenset(token.scopes), token.id, user.address)

    async def by_password(self, login: str, password: str, *, service: str, peer: str) -> Identity:
        """The mailbox of an address. Raises AuthenticationError, TooManyFailuresError."""
        account = await self._authenticator.authenticate(login, password, service=service, peer=peer)
        return await self.of_account(account)

    async def of_account(self, account: Account) -> Identity:
        """The identity of a login; it owns the account's key."""
        user = await self._directory.known(User, account.user_id)
        alias = await self._directory.known(Alias, account.alias_id)
        is_user = await self._is_user(user, alias, account.credential_id)
        actor = Actor(account.address, "user", account.user_id, is_user and user is not None and user.is_admin)
        return Identity(
            "mailbox",
            is_user,
            actor,
            user,
            _scopes(actor),
            account.credential_id,
            account.address,
            account.alias_id,
            account.mailbox_id,
            account.key,
        )

    async def _is_user(self, user: User | None, alias: Alias | None, credential_id: str) -> bool:
        """Whether the credential is the account password or a passkey at the user's own address."""
        if user is None or alias is None or alias.address != user.address:
            return False
        slot = next((slot for slot in alias.slots if slot.id == credential_id), None)
        if slot is None:
            return await self._is_passkey(user.id, credential_id)
        return slot.label == ACCOUNT_LABEL or slot.kind == "passkey"

    async def _is_passkey(self, user_id: str, credential_id: str) -> bool:
        passkey = await self._passkeys.get(credential_id)
        return passkey is not None and passkey.user_id == user_id

    async def by_session(self, text: str) -> Identity | None:
        """The user of a browser's session; None when it ended or its password was removed since."""
        found = await self.sessions.find(text)
        if found is None:
            return None
        session, key = found
        alias = await self._directory.get(Alias, session.alias_id)
        if alias is None or not alias.enabled or not await self._is_held(alias, session):
            key.close()
            return None
        user = await self._directory.get(User, session.user_id)
        is_user = await self._is_user(user, alias, session.credential_id)
        actor = Actor(session.address, "user", session.user_id, is_user and user is not None and user.is_admin)
        return Identity(
            "session",
            is_user,
            actor,
            user,
            _scopes(actor),
            session.id,
            session.address,
            session.alias_id,
            session.mailbox_id,
            key,
            session,
        )

    async def _is_held(self, alias: Alias, session: WebSession) -> bool:
        """Whether the password or passkey that began the session is still there."""
        if any(slot.id == session.credential_id for slot in alias.slots):
            return True
        return await self._is_passkey(session.user_id, session.credential_id)


def _scopes(actor: Actor) -> frozenset[Scope]:
    return frozenset(SCOPES) if actor.is_admin else _OWN
