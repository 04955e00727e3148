"""The second factor of a user's login: one-time codes by the clock (RFC 6238), and recovery codes beside them."""

import hmac

import msgspec
import pyotp

from mailstead.administration.actor import Actor, Administration, require_admin
from mailstead.foundation.crypto.passwords import new_second_factor_code
from mailstead.foundation.errors import AlreadyExistsError, AuthenticationError, NotFoundError, PermissionDeniedError
from mailstead.stores.access.factors import Factor, Factors, recovery_hash
from mailstead.stores.directory.authentication import TooManyFailuresError
from mailstead.stores.directory.records import User

ISSUER = "Mailstead"
RECOVERY_CODES = 10
FAILURES = 10
_STEP = 30
_DRIFT = (0, -1, 1)  # steps that a phone's clock may be wrong by
_DIGITS = 6


def factors(administration: Administration) -> Factors:
    """Where second factors are kept."""
    return Factors(administration.documents, administration.directory.factor_secret)


async def _user(administration: Administration, actor: Actor, user_id: str) -> User:
    if actor.user_id != user_id:
        require_admin(actor)
    user = await administration.directory.get(User, user_id)
    if user is None:
        raise NotFoundError
    return user


async def begin_second_factor(administration: Administration, actor: Actor) -> tuple[str, str]:
    """A new secret to be proved: its base32 text, and the address that a phone reads from a picture.

    Raises AlreadyExistsError when a factor is on.
    """
    user = await _user(administration, actor, actor.user_id)
    if user.has_second_factor:
        raise AlreadyExistsError("There is a second factor already")
    secret = pyotp.random_base32()
    await factors(administration).begin(user.id, secret, administration.clock.now())
    return secret, pyotp.TOTP(secret).provisioning_uri(name=user.address, issuer_name=ISSUER)


async def confirm_second_factor(administration: Administration, actor: Actor, code: str) -> list[str]:
    """Switch the factor on by its first code; returns the recovery codes, which are shown this once.

    Raises AuthenticationError for a wrong code, TooManyFailuresError.
    """
    user = await _user(administration, actor, actor.user_id)
    store = factors(administration)
    factor = await store.of_user(user.id)
    if factor is None or factor.is_on:
        raise NotFoundError("There is no second factor that waits to be proved")
    if not await _takes(administration, store, factor, code):
        raise AuthenticationError("The code is wrong")
    codes = [new_second_factor_code() for _ in range(RECOVERY_CODES)]
    await store.switch_on(user.id, tuple(recovery_hash(one) for one in codes))
    await administration.directory.replace(msgspec.structs.replace(user, has_second_factor=True))
    await administration.audit(actor, "second-factor.add", user.address)
    return codes


async def check_second_factor(administration: Administration, user: User, code: str) -> None:
    """Take a one-time code or a recovery code. Raises AuthenticationError, TooManyFailuresError."""
    store = factors(administration)
    factor = await store.of_user(user.id)
    if factor is None or not factor.is_on or not await _takes(administration, store, factor, code):
        raise AuthenticationError("The code is wrong")


async def remove_second_factor(administration: Administration, actor: Actor, user_id: str, code: str | None) -> None:
    """Log in by the password alone again. The user proves the factor by `code`, an admin of the server need not.

    Raises AuthenticationError, TooManyFailuresError, PermissionDeniedError.
    """
    user = await _user(administration, actor, user_id)
    if code is None and (not actor.is_admin or actor.user_id == user_id):
        raise PermissionDeniedError
    if code is not None:
        await check_second_factor(administration, user, code)
    await administration.directory.replace(msgspec.structs.replace(user, has_second_factor=False))
    await factors(administration).remove(user.id)
    await administration.audit(actor, "second-factor.remove", user.address)


async def _takes(administration: Administration, store: Factors, factor: Factor, code: str) -> bool:
    """Whether the code is right, for the first time. Raises TooManyFailuresError."""
    counter = f"login.factor.{factor.id}"
    if await administration.bus.counter(counter) >= FAILURES:
        raise TooManyFailuresError
    given = "".join(code.split())
    if len(given) == _DIGITS and given.isascii() and given.isdigit():
        totp, now = pyotp.TOTP(store.secret(factor)), administration.clock.now()
        for drift in _DRIFT:
            step = int(now // _STEP) + drift
            if hmac.compare_digest(totp.generate_otp(step), given) and await store.use_step(factor.id, step):
                return True
    elif factor.is_on and await store.use_recovery(factor, given):
        return True
    await administration.bus.increment(counter, administration.settings.login.failures_window)
    return False
