"""Final delivery: what the mailbox has learned joins the verdict, and its owner's threshold decides."""

import msgspec

from mailstead.formats.message.part import Bounds
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.spool import Spool
from mailstead.mail.screening.junk.evidence import likelihood, points_of
from mailstead.mail.screening.junk.features import Features
from mailstead.mail.screening.verdict import Verdict
from mailstead.mail.screening.view import View
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.mailbox import Mailbox

_MOST, _LEAST = 10.0, -10.0
_NAME = "MAILBOX_WORDS"


class Personal(msgspec.Struct, frozen=True):
    """The verdict for one mailbox, the threshold it was held against, and words for the trace ("" when as it came)."""

    verdict: Verdict
    required: float
    words: str


class PersonalJunk:
    """Asks mailboxes what they learned."""

    def __init__(self, settings: Settings, features: Features) -> None:
        self._settings = settings.junk
        mime = settings.mime
        self._bounds = Bounds(
            nesting=mime.nesting, parts=mime.parts, header_size=mime.header_size, addresses=mime.addresses
        )
        self._features = features

    def threshold(self, alias: Alias | None) -> float:
        """The points that make a message junk for an alias."""
        return (
            alias.junk_threshold if alias is not None and alias.junk_threshold is not None else self._settings.threshold
        )

    def judge(
        self, verdict: Verdict, alias: Alias | None, domain: str, mailbox: Mailbox | None, message: Spool
    ) -> Personal:
        """The verdict for the mailbox of `alias`; without `mailbox` (it is locked) by its threshold alone.

        On a thread of the mailboxes. Raises MailsteadError of the mailbox, OSError.
        """
        filters = self._settings.filter and (alias is None or alias.junk_filter)
        required = self.threshold(alias)
        points = self._points(mailbox, message) if filters and mailbox is not None else 0.0
        score = round(verdict.score + points, 1)
        tests = verdict.tests + (((_NAME, points),) if points else ())
        judged = msgspec.structs.replace(verdict, score=score, tests=tests)
        junk = judged.is_junk_for(domain, required, filters=filters)
        because = judged.because
        if because in ("", "score"):
            because = "score" if junk and domain not in verdict.denied else ""
        judged = msgspec.structs.replace(judged, junk=junk, because=because)
        return Personal(judged, required, self._words(verdict, judged, points, required))

    def _points(self, mailbox: Mailbox, message: Spool) -> float:
        if not self._settings.classifier:
            return 0.0
        known = mailbox.known_features(
            lambda: self._features.of(View(message.octets(), self._bounds, self._settings.text_limit))
        )
        if not (known.junk or known.good):
            return 0.0
        found = likelihood(known.counts, known.junk, known.good, known.seen)
        lessons = known.junk if found.junk > 0.5 else known.good
        # after one lesson half of the points, after four most of them
        return round(points_of(found, _MOST, _LEAST) * lessons / (lessons + 1), 1)

    @staticmethod
    def _words(before: Verdict, after: Verdict, points: float, required: float) -> str:
        said = []
        if points:
            like = "junk" if points > 0 else "good mail"
            said.append(f"this mailbox has learned such words as {like} ({points:+g})")
        if after.junk != before.junk or points:
            what = "junk" if after.junk else "good"
            said.append(f"{what} here with {after.score:g} of {required:g} points")
        return ", ".join(said)
