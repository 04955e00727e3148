"""The keyring: a copy of a mailbox's slots beside its file, for the day the directory is lost. Nothing else reads it."""

import msgspec

from mailstead.foundation.crypto.slot import Slot
from mailstead.stores.directory.records import Alias


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """What keyring.json holds: keys under their owners' credentials, nothing that opens anything by itself."""

    mailbox_id: str
    address: str
    public_key: bytes
    slots: tuple[Slot, ...]
    quota: int | None = None


def keyring_of(alias: Alias) -> Keyring:
    """The keyring of an alias with a mailbox."""
    return Keyring(
        mailbox_id=alias.mailbox_id,
        address=alias.address,
        public_key=alias.public_key,
        slots=alias.slots,
        quota=alias.quota,
    )


def encode_keyring(keyring: Keyring) -> bytes:
    """The file's content."""
    return msgspec.json.format(msgspec.json.encode(keyring), indent=2) + b"\n"


decode_keyring = msgspec.json.Decoder(Keyring).decode
