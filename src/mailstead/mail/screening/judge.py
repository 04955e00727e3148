"""The message: everything that is known about it comes together here, and is decided and said in words."""

import asyncio
from collections.abc import Sequence

import msgspec

from mailstead.formats.message.header import header_end
from mailstead.formats.message.part import Bounds
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.spool import Spool
from mailstead.mail.authentication.inbound import Verdict as Authenticated
from mailstead.mail.screening.admission import Admission
from mailstead.mail.screening.attachments.inspect import Suspect, inspect_attachments
from mailstead.mail.screening.case import Case, Finding
from mailstead.mail.screening.junk.evidence import points_of
from mailstead.mail.screening.junk.features import Features
from mailstead.mail.screening.junk.learning import Learning
from mailstead.mail.screening.junk.model import JunkModel
from mailstead.mail.screening.limits import network_of
from mailstead.mail.screening.lists import trust
from mailstead.mail.screening.refusal import Refusal, sayable
from mailstead.mail.screening.reputation import Reputation
from mailstead.mail.screening.rules import findings as rule_findings
from mailstead.mail.screening.sidecar.ask import Client, Opinions, Sidecars
from mailstead.mail.screening.verdict import Because, Verdict, tests_of, verdict_fields, without_claims
from mailstead.mail.screening.view import View
from mailstead.mail.screening.visit import NOTHING, Visit
from mailstead.stores.directory.access import AccessEntry
from mailstead.stores.directory.directory import Directory

_HEADER_LIMIT = 1024 * 1024
_INLINE = 64 * 1024  # octets of a message that is read on the loop; a larger one on a thread
_SURE_JUNK, _SURE_GOOD = 12.0, -0.4  # points without what was learned
_LEARN_PAUSE = 1.0
WORDS_MOST, WORDS_LEAST = 5.0, -3.0
_SAID = 12


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its envelope; `may_refuse`: no recipient has the junk filter off; `teaches`: it is not just tried."""

    message: Spool
    identifier: str
    hello: str
    sender: str
    recipients: Sequence[str]
    may_refuse: bool = True
    teaches: bool = True
    authenticated: Authenticated | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """`fields` go in front of `message`, which is the one that arrived, or it without what others claimed for us.

    `text` says what was found and decided; with `refusal` the message is not taken.
    """

    message: Spool
    fields: bytes
    text: str
    verdict: Verdict
    refusal: Refusal | None = None
    findings: tuple[Finding, ...] = ()


class _Read(msgspec.Struct, frozen=True):
    """What was found in the message itself."""

    findings: list[Finding]
    features: tuple[int, ...]
    suspects: list[Suspect]


class Judge:
    """Judges arriving messages; one for all sessions of a service."""

    def __init__(
        self,
        directory: Directory,
        settings: Settings,
        clock: Clock,
        admission: Admission,
        reputation: Reputation,
        model: JunkModel,
        features: Features,
        learning: Learning,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._clock = clock
        self._admission = admission
        self._reputation = reputation
        self._model = model
        self._features = features
        self._learning = learning
        self._learned_at = {True: float("-inf"), False: float("-inf")}
        self._sidecars = Sidecars(settings.sidecar, settings.junk.threshold)
        mime = settings.mime
        self._bounds = Bounds(
            nesting=mime.nesting, parts=mime.parts, header_size=mime.header_size, addresses=mime.addresses
        )

    async def judge(self, visit: Visit, arrived: Arrived) -> Judgement:
        """Look at a message, which stays open and unchanged meanwhile. Raises OSError when it cannot be read."""
        message = _cleaned(arrived.message)
        raw = message.octets()
        is_small = len(raw) <= _INLINE
        view = View(raw, self._bounds, self._settings.junk.text_limit)
        case = await self._case(visit, arrived, view)
        allowed, denied = await self._lists(visit, case, arrived)
        client = Client(
            address=visit.address,
            hello=arrived.hello,
            hostname=case.facts.reverse.name,
            sender=arrived.sender,
            recipients=arrived.recipients,
            identifier=arrived.identifier,
        )
        if is_small and not self._sidecars.are_there:
            read, opinions = self._read(case), Opinions()
        else:
            read, opinions = await asyncio.gather(
                asyncio.to_thread(self._read, case), self._sidecars.ask(message, client)
            )
        found = [*read.findings, *_listed(case), *opinions.findings]
        certain = sum(one.points for one in found)
        found += self._learned(read)
        keys = _keys(case, visit)
        points, key = await self._reputation.points(keys)
        if points:
            words = f"earlier mail of {key.partition(':')[2]} was {'junk' if points > 0 else 'good'}"
            found.append(Finding("REPUTATION", points, words))
        decision = self._decide(arrived, case, read.suspects, opinions, found, allowed, denied)
        refusal = self._refusal(arrived, read.suspects, opinions, decision)
        if arrived.teaches and keys and decision.because != "attachment":
            self._reputation.note(keys, junk=decision.junk)
        if arrived.teaches:
            self._autolearn(case, certain, read.features)
        text = _said(decision, self._settings.junk.threshold, found, read.suspects, opinions)
        if refusal is not None:
            text = f"{text}; refused: {refusal.explanation}"
        return Judgement(
            message=message,
            fields=verdict_fields(decision, self._settings.junk.threshold),
            text=text,
            verdict=decision,
            refusal=refusal,
            findings=tuple(found),
        )

    async def _case(self, visit: Visit, arrived: Arrived, view: View) -> Case:
        asked = not visit.is_exempt
        facts = NOTHING if visit.is_hidden else await visit.facts()
        author = view.author
        domain = author.specification.rpartition("@")[2] if author is not None else ""
        return Case(
            view=view,
            address=visit.address,
            hello=arrived.hello,
            sender=arrived.sender,
            recipients=arrived.recipients,
            now=self._clock.now(),
            facts=facts,
            hello_outcome=await self._admission.hello(arrived.hello, facts) if asked else "other",
            asked=asked,
            talked_early=visit.talked_early,
            sender_problem=await self._admission.sender_problem(visit, arrived.sender) if asked else "",
            author_is_ours=bool(domain) and await self._directory.is_local_domain(domain),
            checks=arrived.authenticated.checks if arrived.authenticated is not None else None,
        )

    def _read(self, case: Case) -> _Read:
        """All that takes processor time and no lookups."""
        junk = self._settings.junk
        suspects = inspect_attachments(case.view, self._settings.attachments)
        if not junk.filter:
            return _Read([], (), suspects)
        return _Read(rule_findings(case), self._features.of(case.view) if junk.classifier else (), suspects)

    def _learned(self, read: _Read) -> list[Finding]:
        """What the server's model says, when it has learned enough."""
        if not read.features or min(self._model.messages) < self._settings.junk.least_messages:
            return []
        found = self._model.likelihood(read.features)
        points = points_of(found, WORDS_MOST, WORDS_LEAST)
        if not points:
            return []
        like = "junk" if points > 0 else "good mail"
        return [Finding("WORDS", points, f"its words are those of {like} ({found.junk:.0%} junk)")]

    async def _lists(self, visit: Visit, case: Case, arrived: Arrived) -> tuple[frozenset[str], frozenset[str]]:
        """Domains of recipients whose lists allow, and those whose lists deny the author or were told so at RCPT."""
        domains = dict.fromkeys(recipient.rpartition("@")[2].lower() for recipient in arrived.recipients)
        allowed = {recipient.rpartition("@")[2].lower() for recipient in visit.allowed}
        denied = set()
        author = case.view.author
        address = author.specification.lower() if author is not None else ""
        for domain in domains if address else ():
            entry = await self._entry(domain, address)
            if entry is None:
                continue
            if entry.verdict == "deny":
                denied.add(domain)
                allowed.discard(domain)
            elif case.is_proven:
                allowed.add(domain)
        return frozenset(allowed), frozenset(denied)

    async def _entry(self, domain: str, author: str) -> AccessEntry | None:
        for scope in (domain, ""):
            entry = (await self._directory.access(scope)).of_sender(author)
            if entry is not None:
                return entry
        return None

    def _decide(
        self,
        arrived: Arrived,
        case: Case,
        suspects: Sequence[Suspect],
        opinions: Opinions,
        found: Sequence[Finding],
        allowed: frozenset[str],
        denied: frozenset[str],
    ) -> Verdict:
        settings = self._settings
        score = round(sum(one.points for one in found), 1)
        because: Because = ""
        if opinions.virus:
            because = "virus"
        elif any(self._action(suspect) in ("junk", "refuse") for suspect in suspects):
            because = "attachment"
        elif case.facts.blocked and not case.facts.vouched and settings.screening.on_blocklist == "junk":
            because = "blocklist"
        elif arrived.authenticated is not None and arrived.authenticated.action == "junk":
            because = "dmarc"
        elif settings.junk.filter and score >= settings.junk.threshold:
            because = "score"
        verdict = Verdict(
            junk=False,
            score=score,
            because=because,
            virus="found" if opinions.virus else "clean" if opinions.virus == "" else "unchecked",
            allowed=allowed,
            denied=denied,
            tests=tests_of(found),
        )
        domains = {recipient.rpartition("@")[2].lower() for recipient in case.recipients} or {""}
        filters, threshold = settings.junk.filter, settings.junk.threshold
        junk = all(verdict.is_junk_for(domain, threshold, filters=filters) for domain in domains)
        return msgspec.structs.replace(verdict, junk=junk)

    def _action(self, suspect: Suspect) -> str:
        settings = self._settings.attachments
        match suspect.found:
            case "executable":
                return settings.executables
            case "macro":
                return settings.macros
            case "encrypted" | "bomb":
                return settings.encrypted

    def _refusal(
        self, arrived: Arrived, suspects: Sequence[Suspect], opinions: Opinions, verdict: Verdict
    ) -> Refusal | None:
        settings = self._settings
        domains = {recipient.rpartition("@")[2].lower() for recipient in arrived.recipients}
        if domains and domains <= verdict.denied:
            return Refusal(550, "5.7.1", "The recipients take no mail of this author")
        if opinions.virus and settings.sidecar.on_virus == "refuse":
            return Refusal(554, "5.7.1", f"A virus was found: {sayable(opinions.virus)}")
        for suspect in suspects:
            if self._action(suspect) == "refuse":
                return Refusal(554, "5.7.1", f"Not taken here: {sayable(suspect.words)}", words=suspect.words)
        if opinions.failed and settings.sidecar.on_failure == "defer":
            words = f"a filter does not answer ({'; '.join(opinions.failed)})"
            return Refusal(451, "4.7.1", "A filter of ours does not answer, come back later", words=words)
        if domains & verdict.allowed:
            return None
        if opinions.later:
            return Refusal(451, "4.7.1", "Come back later (rspamd)", words="rspamd asks the sender to come back later")
        junk = settings.junk
        if junk.filter and arrived.may_refuse and 0 < junk.refuse <= verdict.score:
            return Refusal(550, "5.7.1", f"This looks like junk ({verdict.score:g} points), so it is not taken")
        return None

    def _autolearn(self, case: Case, certain: float, features: tuple[int, ...]) -> None:
        """Learn what the rules alone are sure about: mail that is surely junk, and proven mail with nothing against it."""
        if not (features and self._settings.junk.autolearn):
            return
        is_junk = certain >= _SURE_JUNK
        if is_junk or (certain <= _SURE_GOOD and case.asked and case.is_proven):
            now = self._clock.monotonic()
            if now - self._learned_at[is_junk] >= _LEARN_PAUSE:  # some of many alike say as much as all of them
                self._learned_at[is_junk] = now
                self._learning.soon(features, junk=is_junk)


def _cleaned(message: Spool) -> Spool:
    """The message without what others claim for us."""
    start = message.start(_HEADER_LIMIT)
    header = start[: header_end(start, 0, len(start))]
    cleaned = without_claims(header)
    return message if cleaned is header else message.replaced(len(header), cleaned)


def _listed(case: Case) -> list[Finding]:
    """Points of lists in DNS."""
    found = [
        Finding("BLOCKLISTED", one.points, f"{case.address} is on the list {one.zone}") for one in case.facts.blocked
    ]
    if case.facts.vouched:
        best = max(case.facts.vouched, key=trust)
        found.append(Finding("ALLOWLISTED", -trust(best), f"{case.address} is on the allow list {best.zone}"))
    return found


def _keys(case: Case, visit: Visit) -> list[str]:
    """Whose reputation counts: the proven author's and the signers', else the network's."""
    keys = []
    if case.is_proven and case.author_domain:
        keys.append(f"domain:{case.author_domain[:250]}")
    for one in (case.checks.dkim or ())[:5] if case.checks is not None else ():
        if one.vouches:
            keys.append(f"signer:{one.domain[:250]}")
    if not keys and case.asked and not visit.is_hidden:
        keys.append(f"network:{network_of(visit.address)}")
    return keys


def _said(
    verdict: Verdict, threshold: float, found: Sequence[Finding], suspects: Sequence[Suspect], opinions: Opinions
) -> str:
    """In plain words what was found."""
    head = "junk" if verdict.junk else "good"
    why = {
        "virus": f"a virus was found ({opinions.virus})",
        "attachment": "of what is attached",
        "blocklist": "the client is on a blocklist",
        "dmarc": "its author's domain asks for it (DMARC)",
    }.get(verdict.because, "")
    said = [f"{head}, {verdict.score:g} of {threshold:g} points{f', {why}' if why else ''}"]
    ordered = sorted(found, key=lambda one: -abs(one.points))[:_SAID]
    said += [f"{one.words} ({one.points:+g})" for one in ordered if one.points]
    said += [suspect.words for suspect in suspects]
    if verdict.allowed:
        said.append(f"allowed by the lists for {', '.join(sorted(verdict.allowed))}")
    if verdict.denied:
        said.append(f"denied by the lists for {', '.join(sorted(verdict.denied))}")
    said += [f"not asked: {why}" for why in opinions.failed]
    return "; ".join(said)
