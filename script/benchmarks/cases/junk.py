"""How well junk is told from good mail: trained on one half of an archive, judged on the other."""

import asyncio
import hashlib
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from benchmarks.case import Context
from benchmarks.table import OWN, Row, Table
from mailstead.formats.message.date import parse_date
from mailstead.formats.message.part import Bounds
from mailstead.foundation.config.sections.junk import JunkSettings
from mailstead.foundation.spool import Spool
from mailstead.mail.screening.case import Case
from mailstead.mail.screening.judge import WORDS_LEAST, WORDS_MOST
from mailstead.mail.screening.junk.evidence import points_of
from mailstead.mail.screening.junk.features import Features
from mailstead.mail.screening.junk.model import JunkModel
from mailstead.mail.screening.rules import findings
from mailstead.mail.screening.sidecar.spamd import SpamdResult, ask_spamd
from mailstead.mail.screening.view import View
from mailstead.mail.screening.visit import NOTHING
from support.other_filters import spamd
from support.programs import find_program

_PEER = "SpamAssassin"
_AT_ONCE = 2
_BARE = re.compile(rb"(?<!\r)\n")
_SURE = 0.95


class _Half(msgspec.Struct):
    junk: list[bytes]
    good: list[bytes]


class _Told(msgspec.Struct):
    """What was called junk, of the junk and of the good messages that were judged."""

    junk: int
    of_junk: int
    good: int
    of_good: int

    @property
    def precision(self) -> float:
        called = self.junk + self.good
        return 100.0 * self.junk / called if called else 0.0

    @property
    def recall(self) -> float:
        return 100.0 * self.junk / self.of_junk if self.of_junk else 0.0

    @property
    def left_alone(self) -> float:
        return 100.0 * (1 - self.good / self.of_good) if self.of_good else 0.0


def _halves(archive: Path, most: int) -> tuple[_Half, _Half]:
    """Messages by the digest of their octets, so that the same ones are in the same half on every machine."""
    halves = (_Half([], []), _Half([], []))
    with tarfile.open(archive) as opened:
        for member in opened:
            file = (
                opened.extractfile(member)
                if (member.isfile() and "ham" in member.name) or "spam" in member.name
                else None
            )
            if file is None:
                continue
            raw = _BARE.sub(b"\r\n", file.read())
            half = halves[hashlib.sha256(raw).digest()[0] & 1]
            (half.good if "ham" in member.name else half.junk).append(raw)
    for half in halves:
        del half.junk[most:]
        del half.good[2 * most :]
    return halves


def _generated(most: int) -> tuple[_Half, _Half]:
    """Messages that no filter could mistake, for a run without an archive."""
    halves = []
    for first in (0, most):
        numbers = range(first, first + most)
        made = [
            [
                f"From: a{number}@{kind}.example\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\n\r\n{words}\r\n".encode()
                for number in numbers
            ]
            for kind, words in (
                ("junk", "cheap pills lottery winner " * 9),
                ("good", "meeting notes project review " * 9),
            )
        ]
        halves.append(_Half(*made))
    return halves[0], halves[1]


def _own(context: Context, first: _Half, second: _Half) -> tuple[_Told, _Told]:
    settings = JunkSettings()
    features = Features(b"benchmark", settings.features_limit)
    bounds = Bounds()
    model = JunkModel(context.folder / "junk" / "model")
    for messages, junk in ((first.junk, True), (first.good, False)):
        for raw in messages:
            model.learn(features.of(View(raw, bounds, settings.text_limit)), junk=junk)

    def judged(raw: bytes) -> tuple[bool, bool]:
        view = View(raw, bounds, settings.text_limit)
        found = model.likelihood(features.of(view))
        case = Case(
            view=view,
            address="",
            hello="",
            sender="",
            recipients=(),
            now=parse_date(view.header.get(b"date", b"")) or 0.0,  # it is looked at when it was sent
            facts=NOTHING,
        )
        points = sum(one.points for one in findings(case)) + points_of(found, WORDS_MOST, WORDS_LEAST)
        return found.junk >= _SURE, points >= settings.threshold

    try:
        return _told([judged(raw) for raw in second.junk], [judged(raw) for raw in second.good])
    finally:
        model.close()


def _told(junk: Sequence[tuple[bool, bool]], good: Sequence[tuple[bool, bool]]) -> tuple[_Told, _Told]:
    words, points = (
        _Told(sum(one[place] for one in junk), len(junk), sum(one[place] for one in good), len(good))
        for place in (0, 1)
    )
    return words, points


def _taught(folder: Path, first: _Half) -> str:
    """The database of SpamAssassin's own classifier after the same lessons."""
    database = folder / "bayes"
    for kind, messages in (("spam", first.junk), ("ham", first.good)):
        place = folder / kind
        place.mkdir(parents=True)
        for number, raw in enumerate(messages):
            (place / f"{number}.eml").write_bytes(raw)
        command = ["sa-learn", "-L", "--dbpath", str(database), f"--{kind}", str(place)]
        subprocess.run(command, check=True, capture_output=True)
    folder.chmod(0o777)  # spamd's children are nobody
    for path in folder.glob("bayes*"):
        path.chmod(0o666)
    return str(database)


async def _asked(place: str, messages: Iterable[bytes], folder: Path) -> list[tuple[bool, bool]]:
    room = asyncio.Semaphore(_AT_ONCE)

    async def ask(raw: bytes) -> tuple[bool, bool]:
        async with room:
            with Spool(len(raw) + 1, folder) as spool:
                spool.append(raw)
                result = await ask_spamd(place, spool, 120.0)
        return _is_sure(result), result.score >= result.required

    return list(await asyncio.gather(*(ask(raw) for raw in messages)))


def _is_sure(result: SpamdResult) -> bool:
    return any(name in ("BAYES_95", "BAYES_99", "BAYES_999") for name in result.symbols)


def _peer(context: Context, first: _Half, second: _Half) -> tuple[_Told, _Told]:
    folder = context.folder / "spamassassin"
    database = _taught(folder, first)
    options = ("--cf", f"bayes_path {database}", "--cf", "bayes_auto_learn 0", "--cf", "use_bayes 1")
    with spamd(context.folder / "spamd", options, workers=_AT_ONCE) as place:
        junk = asyncio.run(_asked(place, second.junk, context.folder))
        good = asyncio.run(_asked(place, second.good, context.folder))
    return _told(junk, good)


def run(context: Context) -> Table:
    """What was learned alone, and all points without the network, beside SpamAssassin's."""
    most = context.size.lessons
    first, second = _generated(most) if context.archive is None else _halves(context.archive, most)
    told = {OWN: _own(context, first, second)}
    if context.with_peers and context.size.name != "tiny" and find_program("spamd"):
        told[_PEER] = _peer(context, first, second)
    rows: list[Row] = []
    figures: tuple[tuple[str, Callable[[_Told], float]], ...] = (
        ("precision", lambda one: one.precision),
        ("recall", lambda one: one.recall),
        ("good mail left alone", lambda one: one.left_alone),
    )
    for place, what in enumerate(("what was learned", "all points, no network")):
        for name, figure in figures:
            values = {who: [figure(found[place])] for who, found in told.items()}
            rows.append(Row(f"{what}: {name}", "%", values, higher_is_better=True))
    notes = [
        "There is no archive of real mail here: these messages are made up, and their figures say nothing."
        if context.archive is None
        else f"Learned from {len(first.junk):,} junk and {len(first.good):,} good messages, judged on {len(second.junk):,} and "
        f"{len(second.good):,} others of the SpamAssassin public corpus (2002-2005), hard good mail included; the halves are "
        "told apart by the messages' digests. What was learned counts as junk from 95% on on both sides (SpamAssassin: "
        "BAYES_95 and above). Its rules were tuned on that corpus, and ours were not; lists, SPF, DKIM and reputation of "
        "both are left out, for they would ask about hosts of 20 years ago.",
    ]
    return Table("Junk", rows, notes)
