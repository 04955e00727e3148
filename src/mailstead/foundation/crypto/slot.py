"""Slots: a mailbox's data key wrapped under a credential (envelope encryption).

A slot never holds the credential; a wrong one is noticed because the wrapped key does not authenticate. Each slot has
an X25519 public key whose private half is derived from the credential like the wrapping key: so a new data key can be
wrapped for every slot of a mailbox when the old one is rotated out, though no credential is at hand.

    wrapped = nonce (12) AES-256-GCM(wrapping key; data key; associated data: id and kind)
    wrapped = ephemeral public key (32) nonce (12) AES-256-GCM(HKDF(X25519); ...)                  when `rewrapped`
"""

import os
from typing import Literal

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import KEY_SIZE, derive_key
from mailstead.foundation.errors import AuthenticationError
from mailstead.foundation.identifiers import new_ulid

Kind = Literal["server", "app_password", "password", "recovery", "passkey"]
_PUBLIC_SIZE = 32
_NONCE_SIZE = 12
_SALT_SIZE = 16


class Argon2Cost(msgspec.Struct, frozen=True):
    """What deriving a key from a password chosen by a person costs (RFC 9106 §4)."""

    memory_kibibytes: int = 64 * 1024
    passes: int = 3
    lanes: int = 1


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One way to a data key; `cost` is set for kind password only."""

    id: str
    kind: Kind
    label: str
    salt: bytes
    wrapped: bytes
    created_at: float
    cost: Argon2Cost | None = None
    exchange: bytes = b""
    rewrapped: bool = False


def _wrapping_key(kind: Kind, secret: bytes, salt: bytes, cost: Argon2Cost | None) -> bytes:
    if kind != "password":
        return derive_key(secret, f"slot {kind}", salt)
    assert cost is not None
    return hash_secret_raw(secret, salt, cost.passes, cost.memory_kibibytes, cost.lanes, KEY_SIZE, Type.ID)


def wrap(
    data_key: DataKey, kind: Kind, secret: bytes, *, label: str, now: float, cost: Argon2Cost | None = None
) -> Slot:
    """A new slot. With kind password it takes the time and memory of `cost`: call it off the event loop."""
    identifier, salt, nonce = new_ulid(now), os.urandom(_SALT_SIZE), os.urandom(_NONCE_SIZE)
    if kind == "password":
        cost = cost or Argon2Cost()
    else:
        cost = None
    wrapping_key = _wrapping_key(kind, secret, salt, cost)
    wrapped = nonce + AESGCM(wrapping_key).encrypt(nonce, data_key.raw(), f"{identifier} {kind}".encode())
    exchange = _exchange(wrapping_key).public_key().public_bytes_raw()
    return Slot(
        id=identifier, kind=kind, label=label, salt=salt, wrapped=wrapped, created_at=now, cost=cost, exchange=exchange
    )


def _exchange(wrapping_key: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(derive_key(wrapping_key, "slot exchange"))


def rewrap(slot: Slot, data_key: DataKey) -> Slot:
    """The same slot with another data key; the same credential opens it. Needs no credential."""
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(slot.exchange))
    nonce = os.urandom(_NONCE_SIZE)
    cipher = AESGCM(derive_key(shared, "slot rewrap", public + slot.exchange))
    wrapped = public + nonce + cipher.encrypt(nonce, data_key.raw(), f"{slot.id} {slot.kind}".encode())
    return msgspec.structs.replace(slot, wrapped=wrapped, rewrapped=True)


def unwrap(slot: Slot, secret: bytes) -> DataKey:
    """The data key. Raises AuthenticationError when `secret` is not this slot's. Off the loop for kind password."""
    key, held = _wrapping_key(slot.kind, secret, slot.salt, slot.cost), slot.wrapped
    if slot.rewrapped:
        private = _exchange(key)
        own = private.public_key().public_bytes_raw()
        if own != slot.exchange:
            raise AuthenticationError
        public, held = held[:_PUBLIC_SIZE], held[_PUBLIC_SIZE:]
        key = derive_key(private.exchange(X25519PublicKey.from_public_bytes(public)), "slot rewrap", public + own)
    cipher = AESGCM(key)
    nonce, wrapped = held[:_NONCE_SIZE], held[_NONCE_SIZE:]
    try:
        return DataKey(cipher.decrypt(nonce, wrapped, f"{slot.id} {slot.kind}".encode()))
    except InvalidTag:
        raise AuthenticationError from None
