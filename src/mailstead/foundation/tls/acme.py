"""Talking to an ACME authority (RFC 8555): blocking calls, one per step, to be run on a thread.

The account is kept in one file, `account.json`, and made when the authority does not know it (any more).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import acme.errors
import msgspec
import requests
from acme import challenges, client, crypto_util, messages
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwa import ES256
from josepy.jwk import JWKEC

import mailstead
from mailstead.foundation.config.sections.acme import AcmeSettings
from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.tls.authority import key_pem, write_durable
from mailstead.foundation.tls.challenge import Challenge

_ACCOUNT = "account.json"
_REQUEST_SECONDS = 45
_ACCOUNT_GONE = frozenset({"accountDoesNotExist", "unauthorized"})
_TEXT_LIMIT = 400
_NONCE_RETRIES = 4


class AcmeError(TemporaryError):
    """The authority refused, or does not answer; the text is its own."""

    public_text = "No certificate"


class _Network(client.ClientNetwork):
    """Tries again when the authority refuses a nonce, more than the library's once (RFC 8555 §6.5)."""

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        for _ in range(_NONCE_RETRIES):
            try:
                return super().post(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return super().post(*args, **kwargs)


class Proof(msgspec.Struct, frozen=True):
    """One name to be proved, and how; `authorization` and `body` are the library's."""

    challenge: Challenge
    authorization: messages.AuthorizationResource
    body: messages.ChallengeBody


class _Account(msgspec.Struct, frozen=True):
    directory: str
    uri: str
    key: str


class AcmeClient:
    """One account at one authority; used by one thread at a time."""

    def __init__(self, settings: AcmeSettings, folder: Path) -> None:
        """`folder` holds the account; it is made when it lacks."""
        self._settings = settings
        self._folder = folder
        self._client: client.ClientV2 | None = None
        self._key: JWKEC | None = None

    def order(self, request: bytes) -> messages.OrderResource:
        """Begin a certificate for a signing request (PEM). Raises AcmeError, OSError."""
        with _told():
            try:
                return self._opened(anew=False).new_order(request)
            except messages.Error as error:
                if error.code not in _ACCOUNT_GONE:
                    raise
            return self._opened(anew=True).new_order(request)

    def proofs(self, order: messages.OrderResource) -> list[Proof]:
        """What is still to be proved, by the way that Settings name. Raises AcmeError."""
        assert self._key is not None, "an order was begun"
        found = []
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue
            name = authorization.body.identifier.value
            body = next(
                (one for one in authorization.body.challenges if one.chall.typ == self._settings.challenge), None
            )
            if body is None:
                raise AcmeError(detail=f"the authority does not offer {self._settings.challenge} for {name}")
            chosen = body.chall
            assert isinstance(chosen, challenges.KeyAuthorizationChallenge)
            token: str = chosen.encode("token")
            text: str = chosen.validation(self._key)
            found.append(Proof(Challenge(self._settings.challenge, name, token, text), authorization, body))
        return found

    def answer(self, proof: Proof) -> None:
        """Ask the authority to look. Raises AcmeError."""
        assert self._client is not None, "an order was begun"
        with _told():
            self._client.answer_challenge(proof.body, proof.body.response(self._key))

    def is_proved(self, proof: Proof) -> bool:
        """Whether the authority has looked and found. Raises AcmeError when it looked in vain."""
        assert self._client is not None, "an order was begun"
        with _told():
            authorization, _ = self._client.poll(proof.authorization)
        status = authorization.body.status
        if status in {messages.STATUS_PENDING, messages.STATUS_PROCESSING}:
            return False
        if status == messages.STATUS_VALID:
            return True
        reasons = [one.error for one in authorization.body.challenges if one.error is not None]
        detail = (reasons[0].detail or reasons[0].typ) if reasons else status.name
        raise AcmeError(detail=f"{proof.challenge.name}: {detail}"[:_TEXT_LIMIT])

    def finish(self, order: messages.OrderResource, seconds: float) -> bytes:
        """The chain (PEM, host first), at most `seconds` later. Raises AcmeError."""
        assert self._client is not None, "an order was begun"
        # the library compares with its own naive clock
        deadline = datetime.now() + timedelta(seconds=seconds)
        with _told():
            chain: str = self._client.finalize_order(order, deadline).fullchain_pem
        return chain.encode("ascii")

    def _opened(self, *, anew: bool) -> client.ClientV2:
        if self._client is not None and not anew:
            return self._client
        account = None if anew else self._read()
        key = _key_of(account.key) if account else ec.generate_private_key(ec.SECP256R1())
        self._key = JWKEC(key=key)
        network = _Network(
            self._key,
            alg=ES256,
            user_agent=f"mailstead/{mailstead.__version__}",
            timeout=_REQUEST_SECONDS,
            verify_ssl=self._settings.authorities or True,  # type: ignore[arg-type] # handed on to requests as it is
        )
        opened = client.ClientV2(client.ClientV2.get_directory(self._settings.directory, network), network)
        if account:
            network.account = messages.RegistrationResource(uri=account.uri, body=messages.Registration())
        else:
            registration = opened.new_account(self._registration(opened))
            self._write(_Account(self._settings.directory, registration.uri, key_pem(key).decode("ascii")))
        self._client = opened
        return opened

    def _registration(self, opened: client.ClientV2) -> messages.NewRegistration:
        settings = self._settings
        binding = None
        if settings.key_id:
            assert self._key is not None
            binding = messages.ExternalAccountBinding.from_data(
                self._key.public_key(), settings.key_id, settings.key_hmac, opened.directory
            )
        return messages.NewRegistration.from_data(
            email=settings.contact or None, terms_of_service_agreed=True, external_account_binding=binding
        )

    def _read(self) -> _Account | None:
        try:
            account = msgspec.json.decode((self._folder / _ACCOUNT).read_bytes(), type=_Account)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            raise AcmeError(detail=f"{self._folder / _ACCOUNT} is damaged: {error}") from error
        return account if account.directory == self._settings.directory else None

    def _write(self, account: _Account) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durable(self._folder / _ACCOUNT, msgspec.json.encode(account), mode=0o600)


@contextmanager
def _told() -> Iterator[None]:
    """The library's errors as one of ours."""
    try:
        yield
    except messages.Error as error:
        raise AcmeError(detail=f"{error.detail or error.typ}"[:_TEXT_LIMIT]) from error
    except (acme.errors.Error, requests.RequestException) as error:
        raise AcmeError(detail=f"{type(error).__name__}: {error}"[:_TEXT_LIMIT]) from error


def _key_of(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode("ascii"), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "written by us"
    return key


def new_key() -> bytes:
    """A key for a certificate, as PEM: P-256."""
    return key_pem(ec.generate_private_key(ec.SECP256R1()))


def signing_request(names: Sequence[str], key: bytes) -> bytes:
    """A request (PEM) for `names`, A-labels or wildcards, by a key as PEM."""
    request: bytes = crypto_util.make_csr(key, list(names))
    return request
