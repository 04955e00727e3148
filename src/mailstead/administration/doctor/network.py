"""Checks of the network: port 25 both ways, relays, the clock, and TLS on our own ports."""

import asyncio
import ssl
import struct
import time
import warnings

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mailstead.administration.doctor.finding import Examination, Finding, Listening, unresolved
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.lookups import addresses, mx
from mailstead.foundation.dns.resolver import InvalidNameError
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.errors import StartTLSError
from mailstead.foundation.net.listen import EVERYWHERE
from mailstead.foundation.tls.authority import certificate_names
from mailstead.mail.outbound.routes import parse_relays
from mailstead.mail.transport.client import Client, Timeouts

_NTP_UNIX = 2_208_988_800  # from 1900 to 1970
_CLOCK_WARNING, _CLOCK_PROBLEM = 2.0, 60.0
_SOON = 14 * 86400.0
_LEAST_RSA = 2048


async def _greeting(address: str, port: int, timeout: float) -> str:
    """What an SMTP server says first. Raises OSError, MailsteadError."""
    connection = await connect(address, port, timeout=timeout)
    client = Client(connection, Timeouts(timeout, timeout))
    try:
        reply = await client.greeting()
        return f"{reply.code} {reply.text}"[:200]
    finally:
        client.abort()


async def check_outbound(examination: Examination) -> list[Finding]:
    """Mail can leave: by port 25 to others' servers, or by the relays."""
    settings = examination.administration.settings
    timeout = settings.doctor.timeout / 2
    if settings.server.relay_url:
        found = []
        for relay in parse_relays(settings.server.relay_url):
            subject = f"{relay.host}:{relay.port}"
            try:
                connection = await connect(relay.host, relay.port, timeout=timeout)
                connection.abort()
            except OSError as error:
                text = f"The relay cannot be reached: {str(error) or 'timed out'}."
                fix = "Check MAILSTEAD_RELAY_URL and the firewall's outgoing rules."
                found.append(Finding(check="outbound", status="problem", subject=subject, text=text, fix=fix))
            else:
                found.append(Finding(check="outbound", status="ok", subject=subject, text="The relay can be reached."))
        return found
    failures = []
    for domain in settings.doctor.probed:
        try:
            hosts = [host for _, host in await mx(examination.resolver, domain)][:1]
            where = [address for host in hosts for address in await addresses(examination.resolver, host)]
            for address in sorted(where, key=lambda text: ":" in text)[:2]:
                said = await _greeting(address, settings.queue.remote_port, timeout)
                text = f"A mail server of {domain} answers: {said}"
                return [Finding(check="outbound", status="ok", subject="port 25 out", text=text)]
            failures.append(f"{domain}: DNS names no host for its mail")
        except ResolutionError as error:
            failures.append(f"{domain}: {error}")
        except (OSError, MailsteadError, InvalidNameError) as error:
            failures.append(f"{domain}: {str(error) or 'timed out'}")
    if not settings.doctor.probed:
        return []
    text = f"No mail server elsewhere answers on port {settings.queue.remote_port}: {'; '.join(failures)[:300]}."
    fix = (
        "Many hosts block port 25: ask yours to open it, or send through a relay on port 465 or 587"
        " (MAILSTEAD_RELAY_URL, or `mailstead sending relay DOMAIN URL`)."
    )
    return [Finding(check="outbound", status="problem", subject="port 25 out", text=text, fix=fix)]


async def check_inbound(examination: Examination) -> list[Finding]:
    """Mail can come in: the public address answers on port 25, as far as that can be seen from inside."""
    try:
        public = await examination.public_addresses()
    except ResolutionError as error:
        return [unresolved("inbound", examination.hostname, error)]
    timeout = examination.administration.settings.doctor.timeout / 2
    found = []
    for address in public:
        try:
            said = await _greeting(address, examination.inbound_port, timeout)
        except (OSError, MailsteadError) as error:
            text = f"Port 25 of {address} does not answer from here: {str(error) or 'timed out'}."
            fix = (
                "Open port 25 in the firewall and at the host, and let it lead to the mx service. Where the router sends"
                " nothing back in, try from elsewhere: nc -v ADDRESS 25."
            )
            found.append(Finding(check="inbound", status="warning", subject=address, text=text, fix=fix))
            continue
        if examination.hostname.lower() in said.lower():
            found.append(Finding(check="inbound", status="ok", subject=address, text=f"Port 25 answers: {said}"))
        else:
            text = f"Port 25 is answered by somebody else: {said}"
            fix = "Stop the other mail server, or let the port lead to Mailstead's mx service."
            found.append(Finding(check="inbound", status="problem", subject=address, text=text, fix=fix))
    return found


class _TimeAnswer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _: object) -> None:
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def clock_offset(address: str, port: int, timeout: float) -> float:
    """Seconds that a time server's clock is ahead of ours (RFC 4330 §5). Raises OSError, ValueError."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(_TimeAnswer, remote_addr=(address, port))
    try:
        sent = time.time()
        transport.sendto(b"\x23" + bytes(47))
        async with asyncio.timeout(timeout):
            data = await protocol.answer
        received = time.time()
    finally:
        transport.close()
    if len(data) < 48 or data[0] & 7 != 4 or not 0 < data[1] < 16:
        raise ValueError("not an answer of a time server")
    took, answered = (seconds - _NTP_UNIX + part / 2**32 for seconds, part in struct.iter_unpack("!II", data[32:48]))
    offset: float = ((took - sent) + (answered - received)) / 2
    return offset


async def check_clock(examination: Examination) -> list[Finding]:
    """The clock is right: signatures, certificates and one-time codes depend on it."""
    settings = examination.administration.settings.doctor
    failures = []
    for server in settings.time_servers:
        try:
            where = await addresses(examination.resolver, server)
            if not where:
                failures.append(f"{server} has no address")
                continue
            address = min(where, key=lambda text: ":" in text)
            offset = await clock_offset(address, examination.time_port, settings.timeout / 4)
        except ResolutionError as error:
            failures.append(str(error))
            continue
        except (OSError, ValueError) as error:
            failures.append(f"{server}: {str(error) or 'timed out'}")
            continue
        words = f"The clock is {abs(offset):.3f} s {'behind' if offset > 0 else 'ahead of'} {server}."
        fix = "Let the system keep the time: timedatectl set-ntp true, or install chrony."
        if abs(offset) >= _CLOCK_PROBLEM:
            return [Finding(check="clock", status="problem", subject="clock", text=words, fix=fix)]
        if abs(offset) >= _CLOCK_WARNING:
            return [Finding(check="clock", status="warning", subject="clock", text=words, fix=fix)]
        return [Finding(check="clock", status="ok", subject="clock", text=words)]
    if not settings.time_servers:
        return []
    text = f"No time server answers: {'; '.join(failures)[:300]}."
    return [Finding(check="clock", status="unknown", subject="clock", text=text, fix="Allow UDP port 123 out.")]


async def check_tls(examination: Examination) -> list[Finding]:
    """What our ports show: protocol, certificate for our name, its chain and end, and that old TLS is refused."""
    found = []
    for listening in examination.listening:
        if listening.tls != "none" and listening.name in _TLS_NAMES:
            found.append(await _grade(examination, listening))
    return found


_TLS_NAMES = ("mx", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "https")
_STARTTLS = {
    "mx": (b"EHLO localhost\r\n", b"250 ", b"STARTTLS\r\n"),
    "submission": (b"EHLO localhost\r\n", b"250 ", b"STARTTLS\r\n"),
    "imap": (b"", b"* OK", b"a STARTTLS\r\n"),
    "pop3": (b"", b"+OK", b"STLS\r\n"),
}


async def _handshake(listening: Listening, context: ssl.SSLContext, name: str, timeout: float) -> tuple[str, bytes]:
    """The protocol's version and the certificate shown. Raises OSError, MailsteadError."""
    host = "127.0.0.1" if listening.host in EVERYWHERE else listening.host
    connection = await connect(host, listening.port, timeout=timeout)
    try:
        if listening.tls == "starttls":
            asks, good, starts = _STARTTLS[listening.name]
            held = await connection.read(timeout)
            if asks:
                connection.write(asks)
                held = b""
                while good not in held:
                    data = await connection.read(timeout)
                    if not data:
                        raise StartTLSError(detail="the service left")
                    held += data
            connection.write(starts)
            await connection.read(timeout)
        await connection.start_client_tls(context, name, timeout)
        tls = connection.tls
        assert tls is not None, "the handshake is done"
        return tls.version, connection.peer_certificate() or b""
    finally:
        connection.abort()


async def _grade(examination: Examination, listening: Listening) -> Finding:
    timeout = examination.administration.settings.doctor.timeout / 4
    subject = f"{listening.name}:{listening.port}"
    try:
        version, der = await _handshake(listening, examination.contexts.client(False), examination.hostname, timeout)
    except (OSError, MailsteadError) as error:
        text = f"No TLS session comes about: {str(error) or 'timed out'}."
        fix = "Look at the log of the service, and whether it runs: mailstead status."
        return Finding(check="tls", status="problem", subject=subject, text=text, fix=fix)
    flaws = _flaws(x509.load_der_x509_certificate(der), examination.hostname, examination.administration.clock.now())
    trusted = True
    try:
        await _handshake(listening, examination.contexts.client(True), examination.hostname, timeout)
    except (OSError, MailsteadError):
        trusted = False
    try:
        await _handshake(listening, _old_context(), examination.hostname, timeout)
        flaws.append("TLS 1.0 or 1.1 is still taken")
    except (OSError, MailsteadError):
        pass  # refused, as it should be
    grade = (
        "A"
        if version == "TLSv1.3" and trusted and not flaws
        else "B"
        if trusted and not flaws
        else "C"
        if trusted
        else "D"
    )
    if not trusted and not flaws:
        flaws.append("strangers do not trust the certificate")
    text = f"Grade {grade}: {version}{'; ' + '; '.join(flaws) if flaws else ''}."
    if grade in ("A", "B"):
        return Finding(check="tls", status="ok", subject=subject, text=text)
    fix = "Obtain a certificate for this host's name: set MAILSTEAD_ACME_DIRECTORY, then mailstead cert issue."
    return Finding(check="tls", status="warning", subject=subject, text=text, fix=fix)


def _old_context() -> ssl.SSLContext:
    """A context that speaks TLS 1.0 and 1.1 alone, as far as the library still can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that they are old is the point
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


def _flaws(certificate: x509.Certificate, hostname: str, now: float) -> list[str]:
    flaws = []
    names = certificate_names(certificate)
    wildcard = f"*.{hostname.partition('.')[2]}"
    if hostname.lower() not in names and wildcard not in names:
        flaws.append(f"the certificate is for {', '.join(names[:3]) or 'nobody'}")
    end = certificate.not_valid_after_utc.timestamp()
    if end <= now:
        flaws.append("the certificate has ended")
    elif end - now < _SOON:
        flaws.append(f"the certificate ends in {(end - now) / 86400:.0f} days")
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_RSA:
        flaws.append(f"its RSA key has {key.key_size} bits")
    elif not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        flaws.append("its key is of a kind that few clients know")
    return flaws
