"""Passkeys (Web Authentication Level 3): logging in by a device that proves its key and its owner's presence.

A passkey stands for both factors. It opens the mailbox through the server's slot, or, where the device gives a secret
of its own (the prf extension), through a slot wrapped under that: so it opens a zero-access mailbox, too.
"""

import secrets
from typing import Any

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.opening import LockedMailboxError
from mailstead.administration.passwords import SLOTS_LIMIT
from mailstead.administration.rotation import finish_rotation
from mailstead.administration.slots import store_slots
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import unwrap, wrap
from mailstead.foundation.errors import AuthenticationError, InvalidError, NotFoundError
from mailstead.stores.access.passkeys import Passkey, Passkeys
from mailstead.stores.directory.records import Alias, User

NAME = "Mailstead"
PASSKEYS_LIMIT = 30
_CHALLENGE = 32
_SECRET = 32


class Site(msgspec.Struct, frozen=True):
    """Where the browser is: the host without its port, and the origin as it writes it into what it signs."""

    host: str
    origin: str


class PasskeyLogin(msgspec.Struct, frozen=True):
    """Who logged in; the caller closes `key`. `credential` names the slot that was opened, or the passkey."""

    user: User
    alias: Alias
    key: DataKey
    credential: str


def passkeys(administration: Administration) -> Passkeys:
    """Where passkeys are kept."""
    return Passkeys(administration.documents, administration.clock)


async def begin_passkey(administration: Administration, actor: Actor, site: Site) -> str:
    """What the browser needs to make a passkey, as JSON. Raises InvalidError when there are too many."""
    store = passkeys(administration)
    held = await store.of_user(actor.user_id)
    if len(held) >= PASSKEYS_LIMIT:
        raise InvalidError(f"At most {PASSKEYS_LIMIT} passkeys")
    user = await administration.directory.get(User, actor.user_id)
    if user is None:
        raise NotFoundError
    challenge = secrets.token_bytes(_CHALLENGE)
    await store.keep_challenge(challenge, actor.user_id)
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=NAME,
        user_id=user.id.encode(),
        user_name=user.address,
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id)) for one in held],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return webauthn.options_to_json(options)


async def add_passkey(
    administration: Administration,
    actor: Actor,
    site: Site,
    *,
    credential: dict[str, Any],
    label: str,
    secret: str,
    key: DataKey,
) -> None:
    """Keep a passkey that the browser made; `secret` is what its prf gives in base64url, empty without.

    Raises AuthenticationError when it does not prove what was asked for.
    """
    store = passkeys(administration)
    user = await administration.directory.get(User, actor.user_id)
    alias = await administration.directory.alias(user.address) if user is not None else None
    if user is None or alias is None:
        raise NotFoundError
    challenge = await _challenge(store, credential, actor.user_id)
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise AuthenticationError("The passkey was not accepted", detail=str(error)) from None
    identifier = bytes_to_base64url(verified.credential_id)
    slot_id = ""
    opener = _secret(secret)
    if opener is not None:
        alias = await finish_rotation(administration, alias)
        if len(alias.slots) >= SLOTS_LIMIT:
            raise InvalidError(f"At most {SLOTS_LIMIT} passwords")
        slot = wrap(key, "passkey", opener, label=label, now=administration.clock.now())
        await store_slots(administration, alias, (*alias.slots, slot))
        slot_id = slot.id
    await store.add(
        Passkey(
            id=identifier,
            user_id=user.id,
            label=label,
            public_key=verified.credential_public_key,
            count=verified.sign_count,
            rp_id=site.host,
            slot_id=slot_id,
            created_at=administration.clock.now(),
        )
    )
    await administration.audit(actor, "passkey.add", user.address, label=label)


async def remove_passkey(administration: Administration, actor: Actor, identifier: str) -> None:
    """Forget a passkey and the slot it opens. Raises NotFoundError."""
    store = passkeys(administration)
    passkey = await store.get(identifier)
    if passkey is None or not await store.remove(actor.user_id, identifier):
        raise NotFoundError
    user = await administration.directory.get(User, actor.user_id)
    alias = await administration.directory.alias(user.address) if user is not None else None
    if alias is not None and passkey.slot_id:
        alias = await finish_rotation(administration, alias)
        await store_slots(administration, alias, [slot for slot in alias.slots if slot.id != passkey.slot_id])
    await administration.audit(actor, "passkey.remove", user.address if user is not None else "", label=passkey.label)


async def begin_passkey_login(administration: Administration, site: Site) -> str:
    """What the browser needs to log in by any passkey it has for this site, as JSON."""
    challenge = secrets.token_bytes(_CHALLENGE)
    await passkeys(administration).keep_challenge(challenge, "")
    options = webauthn.generate_authentication_options(
        rp_id=site.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return webauthn.options_to_json(options)


async def log_in_by_passkey(
    administration: Administration, site: Site, *, credential: dict[str, Any], secret: str
) -> PasskeyLogin:
    """Who proved a passkey. Raises AuthenticationError, LockedMailboxError."""
    store = passkeys(administration)
    challenge = await _challenge(store, credential, "")
    passkey = await store.get(str(credential.get("id", "")))
    user = await administration.directory.get(User, passkey.user_id) if passkey is not None else None
    alias = await administration.directory.alias(user.address) if user is not None else None
    if passkey is None or user is None or alias is None or not alias.enabled or not alias.mailbox_id:
        raise AuthenticationError
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=passkey.rp_id,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.count,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise AuthenticationError(detail=str(error)) from None
    await store.note_use(passkey, verified.new_sign_count)
    opener = _secret(secret)
    for slot in alias.slots:
        if slot.id == passkey.slot_id and opener is not None:
            return PasskeyLogin(user, alias, unwrap(slot, opener), slot.id)
    key = await administration.directory.mailbox_key(alias.mailbox_id)
    if key is None:
        raise LockedMailboxError
    return PasskeyLogin(user, alias, key, passkey.id)


async def _challenge(store: Passkeys, credential: dict[str, Any], user_id: str) -> bytes:
    """The challenge that the browser says it signed, when it was ours and is new. Raises AuthenticationError."""
    response = credential.get("response")
    try:
        signed = base64url_to_bytes(str(response["clientDataJSON"])) if isinstance(response, dict) else b""
        challenge = base64url_to_bytes(msgspec.json.decode(signed, type=_ClientData).challenge)
    except (KeyError, ValueError, msgspec.DecodeError):
        raise AuthenticationError from None
    if not await store.take_challenge(challenge, user_id):
        raise AuthenticationError
    return challenge


class _ClientData(msgspec.Struct):
    challenge: str


def _secret(text: str) -> bytes | None:
    """Raises AuthenticationError for what is no secret of a device."""
    if not text:
        return None
    try:
        octets = base64url_to_bytes(text)
    except ValueError:
        raise AuthenticationError from None
    if len(octets) != _SECRET:
        raise AuthenticationError
    return octets
