import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.mta_sts import MtaStsSettings
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.mail.authentication.mtasts.discover import HeldPolicy, MemoryPolicies, StsDiscovery
from mailstead.mail.authentication.mtasts.fetch import FetchError, fetch_policy
from mailstead.mail.authentication.mtasts.policy import (
    MAX_AGE_MOST,
    StsPolicy,
    StsPolicyError,
    parse_policy,
    policy_id,
)
from support.scripted_resolver import ScriptedResolver

TEXT = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.test\r\nmx: *.example.net\r\nmax_age: 604800\r\n"
POLICY = StsPolicy("enforce", ("mail.example.test", "*.example.net"), 604800)


def test_a_policy_and_the_servers_it_allows() -> None:
    policy = parse_policy(TEXT.decode())
    assert policy == POLICY
    assert policy.allows("MAIL.example.test.")
    assert policy.allows("mx1.example.net")
    for host in ("example.net", "a.b.example.net", "other.test", "xmail.example.test", "mail.example.test.evil"):
        assert not policy.allows(host)


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("version: STSv1\nmode: none\nmax_age: 0", StsPolicy("none", (), 0)),
        (
            "version:STSv1\nmode:  testing \nmax_age: 9999999999\nmx: A.test\nx-y: z\nmode: enforce\n\n",
            StsPolicy("testing", ("a.test",), MAX_AGE_MOST),
        ),
    ],
)
def test_odd_but_valid_policies(text: str, policy: StsPolicy) -> None:
    assert parse_policy(text) == policy


@pytest.mark.parametrize(
    "text",
    [
        "", "version: STSv2\nmode: none\nmax_age: 1", "version: STSv1\nmode: maybe\nmax_age: 1", "version: STSv1\nmode: none",
        "version: STSv1\nmode: enforce\nmax_age: 1", "version: STSv1\nmode: none\nmax_age: -1", "<html>",
        "version: STSv1\nmode: enforce\nmax_age: 1\nmx: *.*.test", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: a b",
        "version: STSv1\nmode: enforce\nmax_age: 1" + "\nmx: a.test" * 101,
    ],
)  # fmt: skip
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(StsPolicyError):
        parse_policy(text)


@pytest.mark.parametrize(
    ("records", "identifier"),
    [
        (("v=STSv1; id=20160831085700Z;",), "20160831085700Z"), (("v=STSv1;id=a;x=y", "other"), "a"), ((), ""),
        (("v=STSv1; id=a", "v=STSv1; id=b"), ""), (("v=STSv1; id=" + "a" * 33,), ""), (("v=STSv1; id=a-b",), ""),
        (("v=STSv1",), ""), ((" v=STSv1; id=a",), ""), (("v=STSv1; id=a; id=b",), ""),
    ],
)  # fmt: skip
def test_announcements(records: tuple[str, ...], identifier: str) -> None:
    assert policy_id(records) == identifier


@given(st.text(max_size=300))
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    with contextlib.suppress(StsPolicyError):
        parse_policy("version: STSv1\nmode: enforce\nmax_age: 1\n" + text)


class PolicyHost:
    """An HTTPS server on loopback for mta-sts.example.test; `answer` is what it says."""

    def __init__(self) -> None:
        self.answer = b""
        self.requests: list[bytes] = []
        self.port = 0
        self.authority = Path()

    def says(
        self, body: bytes, status: str = "200 OK", more: str = "", kind: str = "text/plain; charset=utf-8"
    ) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self.answer = head.encode() + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answer)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def resolver(self, identifier: str = "1") -> ScriptedResolver:
        return ScriptedResolver(
            {
                "_mta-sts.example.test": {"TXT": f"v=STSv1; id={identifier}"},
                "mta-sts.example.test": {"A": "127.0.0.1"},
            }
        )


@asynccontextmanager
async def policy_host(folder: Path, name: str = "mta-sts.example.test") -> AsyncIterator[PolicyHost]:
    host = PolicyHost()
    host.authority = ensure_local_authority(folder, (name,))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0, ssl=context)
    host.port = server.sockets[0].getsockname()[1]
    host.says(TEXT)
    async with server:
        yield host


async def fetched(host: PolicyHost, **others: int) -> StsPolicy:
    return await fetch_policy(
        "example.test",
        host.resolver(),
        host.context(),
        port=host.port,
        timeout=others.get("timeout", 5),
        size_limit=others.get("size_limit", 4096),
    )


async def test_a_policy_is_fetched(tmp_path: Path) -> None:
    async with policy_host(tmp_path) as host:
        assert await fetched(host) == POLICY
        wanted = b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.test:%d\r\n" % host.port
        assert host.requests[0].startswith(wanted)
        host.answer = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(TEXT), TEXT)
        )
        assert await fetched(host) == POLICY
        host.answer = b"HTTP/1.0 200 OK\r\nContent-Type: TEXT/PLAIN\r\n\r\n" + TEXT
        assert await fetched(host) == POLICY


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": "301 Moved", "more": "Location: https://elsewhere.test/\r\n"}, "answered 301"),
        ({"status": "404 Not Found"}, "answered 404"),
        ({"kind": "text/html"}, "not text/plain"),
        ({"body": b"nonsense"}, "not valid"),
        ({"body": b"\xff\xfe"}, "not UTF-8"),
        ({"body": TEXT + b"x: y\n" * 2000}, "too large"),
        ({"more": "X-Pad: " + "a" * 60_000 + "\r\n"}, "too large"),
    ],
)
async def test_what_cannot_be_had(tmp_path: Path, answer: dict[str, object], reason: str) -> None:
    async with policy_host(tmp_path) as host:
        host.says(**{"body": TEXT, **answer})  # type: ignore[arg-type]
        with pytest.raises(FetchError, match=reason):
            await fetched(host)


async def test_no_http_no_trust_no_address(tmp_path: Path) -> None:
    async with policy_host(tmp_path) as host:
        host.answer = b"220 mail.example.test ESMTP\r\n"
        with pytest.raises(FetchError, match="no HTTP answer"):
            await fetched(host)
        host.answer = b""
        with pytest.raises(FetchError, match="no HTTP answer"):
            await fetched(host)
        host.says(TEXT)
        with pytest.raises(FetchError, match="certificate"):
            await fetch_policy(
                "example.test",
                host.resolver(),
                ssl.create_default_context(),
                port=host.port,
                timeout=5,
                size_limit=4096,
            )
        with pytest.raises(FetchError, match="no address"):
            await fetch_policy(
                "other.test", host.resolver(), host.context(), port=host.port, timeout=5, size_limit=4096
            )


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    async with policy_host(tmp_path, "other.test") as host:
        with pytest.raises(FetchError, match="certificate"):
            await fetched(host)


def discovery(
    host: PolicyHost, resolver: ScriptedResolver, clock: ManualClock, policies: MemoryPolicies
) -> StsDiscovery:
    return StsDiscovery(resolver, host.context, policies, MtaStsSettings(), clock, port=host.port)


async def test_a_policy_is_kept_and_renewed_when_its_id_changes(tmp_path: Path) -> None:
    async with policy_host(tmp_path) as host:
        clock, policies, resolver = ManualClock(), MemoryPolicies(), host.resolver()
        finding = discovery(host, resolver, clock, policies)
        assert await asyncio.gather(*(finding.policy("example.test") for _ in range(5))) == [POLICY] * 5
        assert len(host.requests) == 1
        clock.advance(3600)
        assert await finding.policy("example.test") == POLICY
        assert len(host.requests) == 1
        host.says(TEXT.replace(b"enforce", b"testing"))
        resolver.zone["_mta-sts.example.test"] = {"TXT": "v=STSv1; id=2"}
        renewed = await finding.policy("example.test")
        assert renewed is not None
        assert (renewed.mode, len(host.requests)) == ("testing", 2)
        clock.advance(90_000)
        assert await finding.policy("example.test") == renewed
        assert len(host.requests) == 3, "once a day it is fetched anew"
        assert await finding.policy("other.test") is None
        await finding.close()


async def test_nobody_can_take_away_a_policy_that_is_held(tmp_path: Path) -> None:
    async with policy_host(tmp_path) as host:
        clock, policies, resolver = ManualClock(), MemoryPolicies(), host.resolver()
        finding = discovery(host, resolver, clock, policies)
        assert await finding.policy("example.test") == POLICY
        for zone in ({}, {"_mta-sts.example.test": {"TXT": "v=STSv1; id=3"}}):
            resolver.zone = dict(zone)
            assert await finding.policy("example.test") == POLICY
        resolver.zone, resolver.failing = {}, {"_mta-sts.example.test"}
        assert await finding.policy("example.test") == POLICY
        clock.advance(604_801)
        assert await finding.policy("example.test") is None


async def test_a_host_that_fails_is_left_alone_for_five_minutes(tmp_path: Path) -> None:
    async with policy_host(tmp_path) as host:
        clock, policies, resolver = ManualClock(), MemoryPolicies(), host.resolver()
        finding = discovery(host, resolver, clock, policies)
        host.says(b"", status="500 Oops")
        assert await finding.policy("example.test") is None
        host.says(TEXT)
        assert await finding.policy("example.test") is None
        assert len(host.requests) == 1
        clock.advance(301)
        assert await finding.policy("example.test") == POLICY


async def test_switched_off_there_are_no_policies(tmp_path: Path) -> None:
    async with policy_host(tmp_path) as host:
        settings = MtaStsSettings(enforce=False)
        finding = StsDiscovery(host.resolver(), host.context, MemoryPolicies(), settings, ManualClock(), port=host.port)
        assert await finding.policy("example.test") is None
        assert host.requests == []


async def test_the_policies_of_a_process_are_bounded() -> None:
    policies = MemoryPolicies(limit=2)
    for name in ("a", "b", "c"):
        await policies.put(name, HeldPolicy(POLICY, "1", 0))
    assert [await policies.get(name) is not None for name in ("a", "b", "c")] == [False, True, True]
