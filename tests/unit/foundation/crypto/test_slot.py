import msgspec
import pytest

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.passwords import has_app_password_form, new_app_password, new_recovery_code
from mailstead.foundation.crypto.slot import Argon2Cost, Kind, Slot, unwrap, wrap
from mailstead.foundation.errors import AuthenticationError

CHEAP = Argon2Cost(memory_kibibytes=64, passes=1)


@pytest.mark.parametrize("kind", ["server", "app_password", "password", "recovery"])
def test_the_right_secret_opens_and_others_do_not(kind: Kind) -> None:
    key = DataKey.generate()
    slot = wrap(key, kind, b"secret", label="phone", now=1.0, cost=CHEAP)
    again = msgspec.json.decode(msgspec.json.encode(slot), type=Slot)
    assert unwrap(again, b"secret").raw() == key.raw()
    with pytest.raises(AuthenticationError):
        unwrap(slot, b"Secret")


def test_a_slot_under_another_id_or_kind_does_not_open() -> None:
    slot = wrap(DataKey.generate(), "server", b"secret", label="", now=1.0)
    for changed in (msgspec.structs.replace(slot, id="other"), msgspec.structs.replace(slot, kind="recovery")):
        with pytest.raises(AuthenticationError):
            unwrap(changed, b"secret")


def test_a_key_is_not_shown_and_can_be_closed() -> None:
    key = DataKey.generate()
    assert key.hex() not in repr(key)
    kept = key.copy()
    key.close()
    with pytest.raises(ValueError, match="closed"):
        key.raw()
    assert len(kept.raw()) == 32


def test_generated_secrets_have_their_form() -> None:
    assert has_app_password_form(new_app_password())
    assert not has_app_password_form(new_recovery_code())
    assert new_app_password() != new_app_password()
    assert [len(group) for group in new_recovery_code().split("-")] == [4] * 8
