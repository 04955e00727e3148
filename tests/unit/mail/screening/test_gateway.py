"""A router that hides all clients behind one address: found, told, and nobody is punished for the others."""

from pathlib import Path
from typing import Any

import pytest

from mailstead.mail.screening.gateway import Gateways, gateways_since
from support.screened import Exchanger, exchanger, letter
from support.scripted_resolver import Zone

ROUTER = "192.168.1.1"
ZONE: Zone = {f"d{number}.test": {"MX": f"10 mail.d{number}.test."} for number in range(12)} | {
    "proven.test": {"MX": "10 mail.proven.test.", "TXT": "v=spf1 ip4:198.51.100.1 -all"},
    "_dmarc.proven.test": {"TXT": "v=DMARC1; p=reject"},
}


async def _send(opened: Exchanger, number: int, address: str = ROUTER, hello: str = "") -> bytes:
    sender = f"ann@d{number}.test"
    return await opened.send(letter(author=sender), sender, address=address, hello=hello or f"mail.d{number}.test")


async def test_after_so_many_names_an_address_is_a_gateway(tmp_path: Path) -> None:
    limits = {"messages_per_address": 12, "recipients_per_address": 12, "unknown_recipients": 1}
    settings: dict[str, dict[str, Any]] = {"screening": limits, "junk": {"filter": False}}
    async with exchanger(tmp_path, ZONE, settings=settings) as opened:
        for number in range(9):
            assert (await _send(opened, number)).startswith(b"450 4.7.1 Not known here yet")
        assert (await _send(opened, 0)).startswith(b"450 4.7.1")  # a name counts once
        for _ in range(3):  # the tenth name; past every limit of one address
            for number in range(9, 12):
                assert (await _send(opened, number)).startswith(b"250 2.0.0")
        async with opened.connect(ROUTER, "mail.d1.test") as saying:
            await saying.say(b"MAIL FROM:<ann@d1.test>\r\n")
            for _ in range(4):
                assert (await saying.say(b"RCPT TO:<nobody@example.test>\r\n")).startswith(b"550 5.1.1")
        now = opened.clock.now()
        assert await gateways_since(opened.made.documents, now - 60) == [ROUTER]
        assert await gateways_since(opened.made.documents, now + 60) == []
        other = Gateways(opened.made.documents, opened.made.bus, opened.made.settings.screening, opened.clock)
        assert await other.is_known(ROUTER)  # so do other processes know


async def test_spf_is_unknown_behind_a_gateway(tmp_path: Path) -> None:
    settings: dict[str, dict[str, Any]] = {
        "screening": {"gateway_greetings": 1},
        "greylist": {"mode": "off"},
        "junk": {"filter": False},
    }
    async with exchanger(tmp_path, ZONE, settings=settings) as opened:
        message, sender = letter(author="ann@proven.test"), "ann@proven.test"
        assert (await opened.send(message, sender, address=ROUTER, hello="mail.proven.test")).startswith(b"250")
        (stored,) = await opened.made.messages("alice@example.test")
        assert b"spf=temperror" in stored
        assert b"dmarc=temperror" in stored
        assert b"dmarc=fail" not in stored
        assert (await opened.send(message, sender, address="198.51.100.2", hello="x.test")).startswith(b"550 5.7.1")


@pytest.mark.parametrize(
    ("address", "greetings"), [("203.0.113.5", 3), ("127.0.0.1", 3), ("unix", 3), ("2001:db8::1", 3), (ROUTER, 0)]
)
async def test_what_is_no_gateway(tmp_path: Path, address: str, greetings: int) -> None:
    settings = {"screening": {"gateway_greetings": greetings, "exempt": ()}}
    async with exchanger(tmp_path, ZONE, settings=settings) as opened:
        gateways = Gateways(opened.made.documents, opened.made.bus, opened.made.settings.screening, opened.clock)
        assert not any([await gateways.greeted(address, f"mail.d{number}.test") for number in range(6)])
        assert await gateways_since(opened.made.documents, 0) == []
