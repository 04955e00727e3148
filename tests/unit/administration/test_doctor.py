"""What the doctor finds, with an internet of the test's own: DNS, time servers, mail servers, blocklists."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mailstead.administration.actor import COMMAND_LINE, Actor
from mailstead.administration.dns_records import host_facts, records
from mailstead.administration.doctor.examine import CHECKS, examine, worst
from mailstead.administration.doctor.finding import Examination, Finding, Listening
from mailstead.administration.domains import add_domain
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.doctor import DoctorSettings
from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import InvalidError, PermissionDeniedError
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.screening.gateway import Gateways
from support.dns_authority import Authority, Failure, dns_authority
from support.installation import Installation, installation
from support.scripted_smtp import scripted_server
from support.smtp_dialogue import smtp, smtp_server

HOST = "mail.proved.net"
ZONE = {
    HOST: {"A": "8.8.4.4"},
    "4.4.8.8.in-addr.arpa": {"PTR": f"{HOST}."},
    "probe.net": {"MX": "10 mx.probe.net."},
    "mx.probe.net": {"A": "127.0.0.1"},
    "time.net": {"A": "127.0.0.1"},
}


class Patient:
    def __init__(self, made: Installation, authority: Authority, **options: Any) -> None:
        self.made, self.authority, self.options = made, authority, options
        ensure_local_authority(made.folder / "tls", (HOST,))
        self.queue = OutboundQueue(
            made.documents, made.bus, made.directory, made.folder / "queue", bytes(32), made.clock
        )

    async def findings(self, *only: str, actor: Actor = COMMAND_LINE) -> list[Finding]:
        resolver = Resolver((self.authority.address,), DnsSettings(timeout=0.3, attempts=1), self.made.clock)
        examination = Examination(
            administration=self.made.administration,
            resolver=resolver,
            contexts=TLSContexts(self.made.folder / "tls", self.made.settings.tls),
            queue=self.queue,
            hostname=self.options.get("hostname", HOST),
            data=self.made.folder,
            listening=self.options.get("listening", ()),
            time_port=self.options.get("time_port", 1),
            inbound_port=self.options.get("inbound_port", 1),
        )
        return await examine(actor, examination, only)

    async def one(self, check: str) -> Finding:
        (found,) = await self.findings(check)
        return found


@asynccontextmanager
async def patient(folder: Path, settings: Settings | None = None, **options: Any) -> AsyncIterator[Patient]:
    doctor = DoctorSettings(
        timeout=4.0,
        blocklists=("list.net",),
        domain_blocklists=("names.net",),
        time_servers=("time.net",),
        probed=("probe.net",),
    )
    wanted = msgspec.structs.replace(
        settings or Settings(),
        doctor=doctor,
        server=ServerSettings(data=str(folder), addresses=options.pop("addresses", ())),
    )
    with dns_authority(ZONE, negative_ttl=1) as authority:
        async with installation(folder, wanted) as made:
            opened = Patient(made, authority, **options)
            await opened.queue.open()
            yield opened
            opened.queue.close()


async def test_names_and_addresses(tmp_path: Path) -> None:
    async with patient(tmp_path) as opened:
        assert [(one.check, one.status) for one in await opened.findings("hostname", "ptr")] == [
            ("hostname", "ok"),
            ("ptr", "ok"),
        ]
        opened.authority.put("4.4.8.8.in-addr.arpa", "PTR", "other.net.")
        opened.authority.put("other.net", "A", "8.8.4.4")
        found = await opened.one("ptr")
        assert (found.status, "greets as" in found.text) == ("warning", True)
        opened.authority.put("other.net", "A", "8.8.8.8")
        found = await opened.one("ptr")
        assert (found.status, found.text) == ("problem", "Its name other.net does not lead back to it.")
        opened.authority.remove("4.4.8.8.in-addr.arpa")
        found = await opened.one("ptr")
        assert (found.status, "no PTR" in found.text, HOST in found.fix) == ("problem", True, True)
        opened.authority.fail("4.4.8.8.in-addr.arpa", Failure.SERVFAIL)
        assert (await opened.one("ptr")).status == "unknown"
        opened.options["hostname"] = "mail"
        assert (await opened.one("hostname")).status == "problem"
        opened.options["hostname"] = "nowhere.net"
        assert (await opened.one("hostname")).status == "problem"
        opened.authority.put("inside.net", "A", "10.0.0.1")
        opened.options["hostname"] = "inside.net"
        assert (await opened.one("hostname")).status == "warning"


async def test_each_record_that_lacks_is_told_with_its_value(tmp_path: Path) -> None:
    async with patient(tmp_path) as opened:
        domain = await add_domain(opened.made.administration, COMMAND_LINE, "proved.net", owner_id="owner")
        found = [one for one in await opened.findings("records") if one.subject == "proved.net"]
        problems = [one.text for one in found if one.status == "problem"]
        assert any(text.startswith(f"MX proved.net is not 10 {HOST}.: DNS has none") for text in problems)
        assert any("0 DMARC records" in text for text in problems)
        assert all("mailstead dns records proved.net" in one.fix for one in found if one.status == "problem")
        for record in records(domain, host_facts(opened.made.settings, HOST)):
            value = f'"{record.value}"' if record.type == "TXT" and " " not in record.value else record.value
            opened.authority.put(record.name, record.type, value.strip('"'))
        found = [one for one in await opened.findings("records") if one.subject == "proved.net"]
        assert [(one.check, one.status) for one in found] == [("records", "ok"), ("proof", "ok")], found


@pytest.mark.parametrize(
    ("answer", "status"), [(None, "ok"), ("127.0.0.2", "problem"), ("127.255.255.254", "unknown"), ("", "unknown")]
)
async def test_blocklists(tmp_path: Path, answer: str | None, status: str) -> None:
    async with patient(tmp_path) as opened:
        name = "4.4.8.8.list.net"
        if answer:
            opened.authority.put(name, "A", answer)
        elif answer == "":
            opened.authority.fail(name, Failure.SERVFAIL)
        found = await opened.one("blocklists")  # example.test is no name that others could list
        assert (found.subject, found.status) == ("8.8.4.4", status)


async def test_port_25_out_and_in(tmp_path: Path) -> None:
    async with scripted_server() as sink:
        queue = QueueSettings(remote_port=sink.port)
        async with patient(tmp_path, Settings(queue=queue), addresses=("127.0.0.1",), inbound_port=sink.port) as opened:
            found = await opened.one("outbound")
            assert (found.status, "220 sink.test ESMTP" in found.text) == ("ok", True)
            found = await opened.one("inbound")
            assert (found.status, "somebody else" in found.text) == ("problem", True)
            sink.scripts["CONNECT"] = [f"220 {HOST} ESMTP"]
            assert (await opened.one("inbound")).status == "ok"
            sink.scripts["CONNECT"] = [""]
            assert (await opened.one("inbound")).status == "warning"
            sink.scripts["CONNECT"] = [""]
            found = await opened.one("outbound")
            assert (found.status, "relay" in found.fix) == ("problem", True)


@pytest.mark.parametrize(("offset", "status"), [(0.0, "ok"), (30.0, "warning"), (-3600.0, "problem")])
async def test_the_clock_beside_a_time_server(tmp_path: Path, offset: float, status: str) -> None:
    class TimeServer(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, _: bytes, peer: Any) -> None:
            now = time.time() + offset + 2_208_988_800
            stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
            self.transport.sendto(b"\x24\x01" + bytes(30) + stamp * 2, peer)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(TimeServer, local_addr=("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        async with patient(tmp_path, time_port=port) as opened:
            found = await opened.one("clock")
            assert (found.status, "behind" in found.text) == (status, offset > 0 or found.text.count("behind") > 0)
    finally:
        transport.close()


async def test_a_clock_that_nobody_confirms_is_not_called_right(tmp_path: Path) -> None:
    async with patient(tmp_path) as opened:
        assert (await opened.one("clock")).status == "unknown"


async def test_tls_of_our_ports_is_graded(tmp_path: Path) -> None:
    async with patient(tmp_path) as opened:
        async with smtp(opened.made) as server, smtp_server(server, "mx") as (port, _):
            opened.options["listening"] = (
                Listening("mx", "127.0.0.1", port, "starttls"),
                Listening("lmtp", "x", 1, "none"),
            )
            found = await opened.one("tls")
            assert (found.subject, found.status) == (f"mx:{port}", "warning")  # the own authority's certificate
            assert found.text.startswith("Grade D: TLSv1.3")
        gone = await opened.one("tls")
        assert (gone.status, "No TLS session" in gone.text) == ("problem", True)


async def test_the_machine(tmp_path: Path) -> None:
    async with patient(tmp_path) as opened:
        found = {
            one.check: one for one in await opened.findings("disk", "documents", "bus", "queue", "jobs", "certificates")
        }
        assert {name: one.status for name, one in found.items() if name not in ("disk",)} == {
            "documents": "ok",
            "bus": "ok",
            "queue": "ok",
            "jobs": "warning",
            "certificates": "warning",
        }
        assert "GiB" in found["disk"].text
        (report,) = await opened.findings("reports")
        assert (report.status, "mail-reports@example.test" in report.fix) == ("unknown", True)


async def test_everything_at_once_with_a_fix_for_each_that_is_not_well(tmp_path: Path) -> None:
    async with patient(tmp_path) as opened:
        found = await opened.findings()
        assert worst(found) == "problem"
        assert [one for one in found if one.status != "ok" and not one.fix] == []
        order = [check.name for check in CHECKS]
        seen = [one.check for one in found if one.check in order]
        assert seen == sorted(seen, key=order.index)
        with pytest.raises(InvalidError):
            await opened.findings("nothing")
        with pytest.raises(PermissionDeniedError):
            await opened.findings("disk", actor=Actor("bob", "user", "user-bob"))


async def test_a_gateway_that_hides_clients(tmp_path: Path) -> None:
    async with patient(tmp_path) as opened:
        made = opened.made
        gateways = Gateways(made.documents, made.bus, made.settings.screening, made.clock)
        assert (await opened.one("gateway")).status == "ok"
        for number in range(10):
            await gateways.greeted("10.0.0.1", f"mail.d{number}.test")
        found = await opened.one("gateway")
        assert (found.status, found.subject) == ("warning", "10.0.0.1")
        assert "MAILSTEAD_NETWORK_PROXY_TRUSTED=10.0.0.1" in found.fix
