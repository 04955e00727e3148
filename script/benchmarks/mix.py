"""The messages of a benchmark, the same for every contestant: made from a seed, as mail is.

Two of three are plain text of some kilobytes, most of the rest text with HTML, and one in fifteen carries an attachment.
Texts are of a fixed vocabulary and compress about as mail does; nothing repeats between messages but words.
"""

import base64
import random
from collections.abc import Iterator

NEEDLE = "quagmire"  # in the text of one message in 400
SENDERS = 200
_BOUNDARY = "=_part_of_the_mix"
_FIRST_DAY = 1_600_000_000


class Mix:
    """An endless supply; the same seed gives the same messages."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._seed = seed
        vocabulary = random.Random(7)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        weights = [1 / (place + 2) for place in range(len(letters))]
        self._words = [
            "".join(vocabulary.choices(letters, weights, k=vocabulary.randint(2, 11))) for _ in range(12_000)
        ]
        self._number = 0

    def _text(self, octets: int) -> str:
        lines, made = [], 0
        while made < octets:
            # mostly common words, sometimes rare ones
            words = [
                self._words[int(len(self._words) * self._random.random() ** 3)]
                for _ in range(self._random.randint(6, 13))
            ]
            lines.append(" ".join(words))
            made += len(lines[-1]) + 2
        return "\r\n".join(lines)

    def _header(self, recipient: str) -> list[str]:
        sender = self._random.randrange(SENDERS)
        number = self._number
        names = " ".join(self._random.choices(self._words, k=2)).title()
        lines = [
            f"Return-Path: <sender{sender}@client.example>",
            f"Received: from mail{sender % 7}.client.example (mail{sender % 7}.client.example [192.0.2.{sender % 250}])",
            f"\tby mx.example.test with ESMTPS id {self._seed:x}{number:08x}; Thu, 1 Jan 2026 10:00:00 +0000",
            f"From: {names} <sender{sender}@client.example>",
            f"To: Alice <{recipient}>",
            f"Subject: {' '.join(self._random.choices(self._words, k=self._random.randint(2, 8)))} {number}",
            f"Date: Thu, {1 + number % 28} Jan 2026 {number % 24:02}:{number % 60:02}:00 +0000",
            f"Message-ID: <{self._seed}.{number}@client.example>",
            "MIME-Version: 1.0",
        ]
        if number and self._random.random() < 0.4:
            earlier = self._random.randrange(max(number - 500, 0), number)
            lines.append(f"In-Reply-To: <{self._seed}.{earlier}@client.example>")
            lines.append(f"References: <{self._seed}.{earlier}@client.example>")
        if self._random.random() < 0.1:
            others = ", ".join(f"Member {one} <member{one}@list.example>" for one in range(self._random.randint(2, 30)))
            lines.append("Cc: " + others.replace(", ", ",\r\n "))
        return lines

    def _plain(self, octets: int) -> str:
        text = self._text(octets)
        return f"{text}\r\n{NEEDLE} {self._words[0]}" if self._number % 400 == 77 else text

    def message(self, recipient: str = "alice@example.test") -> bytes:
        """The next message."""
        lines = self._header(recipient)
        kind = self._random.random()
        octets = int(min(self._random.lognormvariate(7.6, 0.9), 60_000))
        if kind < 0.66:
            lines += [
                "Content-Type: text/plain; charset=utf-8",
                "Content-Transfer-Encoding: 8bit",
                "",
                self._plain(octets),
                "",
            ]
        else:
            lines += [
                f'Content-Type: multipart/{"alternative" if kind < 0.93 else "mixed"}; boundary="{_BOUNDARY}"',
                "",
            ]
            lines += [f"--{_BOUNDARY}", "Content-Type: text/plain; charset=utf-8", "", self._plain(octets), ""]
            if kind < 0.93:
                paragraphs = self._text(octets).replace("\r\n", "</p>\r\n<p>")
                html = f"<html><body><p>{paragraphs}</p></body></html>"
                lines += [f"--{_BOUNDARY}", "Content-Type: text/html; charset=utf-8", "", html, ""]
            else:
                data = self._random.randbytes(int(min(self._random.lognormvariate(9.8, 1.0), 400_000)))
                attached = base64.encodebytes(data).decode().rstrip("\n").replace("\n", "\r\n")
                name = f'"file{self._number}.bin"'
                lines += [f"--{_BOUNDARY}", f"Content-Type: application/octet-stream; name={name}"]
                lines += [f"Content-Disposition: attachment; filename={name}", "Content-Transfer-Encoding: base64"]
                lines += ["", attached, ""]
            lines += [f"--{_BOUNDARY}--", ""]
        self._number += 1
        return "\r\n".join(lines).encode()

    def messages(self, count: int) -> Iterator[bytes]:
        """The next `count` messages."""
        for _ in range(count):
            yield self.message()

    def sized(self, octets: int, recipient: str = "alice@example.test") -> bytes:
        """The next message, plain text of about `octets` octets in all."""
        lines = self._header(recipient)
        left = max(octets - sum(len(line) + 2 for line in lines) - 4, 1)
        self._number += 1
        return "\r\n".join([*lines, "", self._text(left)[:left].rstrip("\r\n"), ""]).encode()
