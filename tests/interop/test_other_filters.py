"""rspamd, SpamAssassin and ClamAV themselves, asked about one message after the other by the mail exchanger."""

import base64
import io
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.other_filters import EICAR, clamd, rspamd, spamd
from support.screened import exchanger, letter

pytestmark = pytest.mark.needs("clamd", "rspamd", "spamd")
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
ALICE = "alice@example.test"


def _bomb() -> bytes:
    """A zip of zips that unpacks to gigabytes, as a message."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("zeros", bytes(64 * 1024**2))
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(64):
            archive.writestr(f"{number}.zip", inner.getvalue())
    return (
        b"From: Ann <ann@good.test>\r\nTo: alice@example.test\r\nMIME-Version: 1.0\r\nContent-Type: application/zip;"
        b' name="b.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + base64.encodebytes(outer.getvalue()).replace(b"\n", b"\r\n")
    )


async def test_the_real_ones(tmp_path: Path) -> None:
    with ExitStack() as stack:
        settings = {
            "clamd": stack.enter_context(clamd(tmp_path / "clamd")),
            "spamd": stack.enter_context(spamd(tmp_path / "spamd")),
            "rspamd": stack.enter_context(rspamd(tmp_path / "rspamd")),
            "timeout": 60.0,
        }
        async with exchanger(tmp_path, settings={"sidecar": settings, "junk": {"refuse": 0.0}}) as opened:
            assert (await opened.send(letter(GTUBE))).startswith(b"250")
            (text,) = await opened.traced("screened")
            assert "SpamAssassin gives " in text
            assert "GTUBE" in text.partition("SpamAssassin gives ")[2]
            assert "rspamd gives 15 of 15 points (+5)" in text
            assert "not asked" not in text
            (stored,) = await opened.made.messages(ALICE, "Junk")
            assert b"virus=clean" in stored
            more = 'Content-Type: application/octet-stream; name="a.dat"\r\nContent-Transfer-Encoding: base64\r\n'
            virus = letter(base64.b64encode(EICAR).decode(), more=more)
            assert (await opened.send(virus)).startswith(b"554 5.7.1 A virus was found: Test.Eicar")
            large = letter("line of text\r\n" * 100_000)
            answer = await opened.send(large)
            assert answer.startswith(b"250"), answer
            said = (await opened.traced("screened"))[-1]
            assert "not asked" not in said
            message = _bomb()  # they get it as it came, and bound what they unpack
            assert (await opened.send(message)).startswith(b"250")
            there = [one for name in ("INBOX", "Junk") for one in await opened.made.messages(ALICE, name)]
            assert any(one.endswith(message) for one in there)
            assert (await opened.send(letter())).startswith(b"250")
            assert "not asked" not in (await opened.traced("screened"))[-1]
