"""What is done about the authentication of a message as it arrives: its header, what becomes of it, and why.

Nothing here defers mail: what DNS does not answer is a temporary error in the results, and the message is delivered.
"""

import random
import re
from typing import Literal

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.authentication import AuthenticationSettings
from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.foundation.spool import Spool
from mailstead.mail.authentication.authenticate import Checks, authenticate
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.authentication.resolving import Resolving
from mailstead.mail.authentication.results.forged import without_forged
from mailstead.mail.authentication.spf.check import Client, client_address

Action = Literal["deliver", "junk", "refuse"]

_REFUSAL_LIMIT = 400  # of a reply line's 512 octets (RFC 5321 §4.5.3.1.5)
_UNSAYABLE = re.compile(r"[^\x20-\x7e]")


class Verdict(msgspec.Struct, frozen=True):
    """`fields` are to be put in front of `message`, which is the one that came, or it without forged fields.

    `text` says in plain words what was found out and what is done; `refusal` is for the sender.
    """

    message: Spool
    fields: bytes
    action: Action
    text: str
    refusal: str
    checks: Checks


class InboundAuthentication:
    """Judges arriving messages; one for all sessions of a service."""

    def __init__(
        self,
        resolver: Resolving,
        settings: AuthenticationSettings,
        dkim_settings: DkimSettings,
        hostname: str,
        clock: Clock,
    ) -> None:
        self._resolver = resolver
        self._settings = settings
        self._dkim_settings = dkim_settings
        self._identifier = settings.identifier or hostname
        self._clock = clock
        self._ours = frozenset({self._identifier.lower(), hostname.lower()})

    async def judge(self, message: Spool, *, address: str, hello: str, sender: str, is_hidden: bool = False) -> Verdict:
        """Check `message`, which stays open and unchanged meanwhile, as it came from the client at `address`.

        An address that is none (a unix socket) cannot be checked, nor one that hides the client (`is_hidden`). Raises
        OSError when the spool cannot be read.
        """
        checked = CheckedMessage.of_spool(message)
        checks = await authenticate(
            checked,
            _client(address, hello, sender, self._identifier),
            self._resolver,
            settings=self._settings,
            dkim_settings=self._dkim_settings,
            now=self._clock.now(),
            sample=random.uniform(0, 100),  # noqa: S311 a share of messages, not a secret
            is_hidden=is_hidden,
        )
        action = self._action(checks)
        fields = checks.field(self._identifier) + (checks.bimi.field if checks.bimi is not None else b"")
        cleaned = without_forged(checked.header, self._ours)
        if cleaned is not checked.header:
            message = message.replaced(len(checked.header), cleaned)
        text = "; ".join(_sentences(checks, action))
        return Verdict(message, fields, action, text, _refusal(checks) if action == "refuse" else "", checks)

    def _action(self, checks: Checks) -> Action:
        match checks.dmarc.disposition if checks.dmarc is not None else "none":
            case "reject":
                return self._settings.on_reject
            case "quarantine":
                return self._settings.on_quarantine
            case _:
                return "deliver"


def _client(address: str, hello: str, sender: str, host: str) -> Client | None:
    try:
        return Client(client_address(address), hello, sender, host)
    except ValueError:
        return None


def _refusal(checks: Checks) -> str:
    dmarc = checks.dmarc
    assert dmarc is not None
    text = f"{dmarc.domain} asks to refuse mail that is not authenticated as its own (DMARC): {dmarc.reason}"
    return _UNSAYABLE.sub("?", text)[:_REFUSAL_LIMIT]


def _sentences(checks: Checks, action: Action) -> list[str]:
    said = []
    if checks.spf is not None:
        spf = checks.spf
        said.append(f"SPF {spf.result} for {spf.domain or 'no domain'}{_because(spf.reason)}")
    for one in checks.dkim or ():
        said.append(f"DKIM {one.result} by {one.domain or 'no domain'}{_because(one.reason)}")
    if not checks.dkim:
        said.append("no DKIM signature")
    dmarc = checks.dmarc
    if dmarc is not None:
        policy = f", its policy is {dmarc.policy}" if dmarc.policy is not None else ""
        said.append(f"DMARC {dmarc.result} for {dmarc.domain or 'no domain'}{policy}{_because(dmarc.reason)}")
    arc = checks.arc
    if arc is not None and arc.result != "none":
        said.append(f"ARC {arc.result} over {arc.instances} sets{_because(arc.reason)}")
    if action != "deliver":
        said.append("refused" if action == "refuse" else "goes to Junk")
    return said


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
