"""Checks of DNS: the host's name and PTR records, the domains' records, MTA-STS, blocklists."""

import ipaddress

from mailstead.administration.dns_records import check_records, host_facts
from mailstead.administration.doctor.finding import Examination, Finding, Status, unresolved
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.lookups import addresses, ptr
from mailstead.foundation.dns.resolver import InvalidNameError
from mailstead.mail.authentication.mtasts.fetch import FetchError, fetch_policy
from mailstead.mail.sending.proof import is_special_use, lacking_records

_REFUSED_BY_LIST = ipaddress.ip_network("127.255.255.0/24")  # the list does not answer this resolver


async def check_hostname(examination: Examination) -> list[Finding]:
    """The host has a full name that leads to it."""
    name = examination.hostname
    if "." not in name:
        fix = "Set MAILSTEAD_HOSTNAME to a full name, like mail.example.org."
        return [Finding(check="hostname", status="problem", subject=name, text="The host has no full name.", fix=fix)]
    try:
        found = await addresses(examination.resolver, name)
    except ResolutionError as error:
        return [unresolved("hostname", name, error)]
    if not found:
        status: Status = "warning" if is_special_use(name) else "problem"
        fix = f"Publish A and AAAA records for {name} with this host's public addresses."
        return [Finding(check="hostname", status=status, subject=name, text="The name has no address in DNS.", fix=fix)]
    private = [address for address in found if not ipaddress.ip_address(address).is_global]
    if private:
        text = f"The name leads to {', '.join(private)}, which others cannot reach."
        fix = "Publish the public addresses alone."
        return [Finding(check="hostname", status="warning", subject=name, text=text, fix=fix)]
    return [Finding(check="hostname", status="ok", subject=name, text=f"The name leads to {', '.join(found)}.")]


async def check_ptr(examination: Examination) -> list[Finding]:
    """Each public address has a name that leads back to it (RFC 1912 §2.1), the host's own."""
    try:
        public = await examination.public_addresses()
    except ResolutionError as error:
        return [unresolved("ptr", examination.hostname, error)]
    if not public:
        fix = "Set MAILSTEAD_ADDRESSES, or publish the host's address records."
        text = "The public addresses of this host are not known."
        return [Finding(check="ptr", status="unknown", subject=examination.hostname, text=text, fix=fix)]
    return [await _ptr_of(examination, address) for address in public]


async def _ptr_of(examination: Examination, address: str) -> Finding:
    fix = f"Set the PTR record of {address} to {examination.hostname}, where the address is rented."
    if ipaddress.ip_address(address).version == 6:
        fix += " Or send by IPv4 alone: MAILSTEAD_SENDING_SOURCE=0.0.0.0."
    try:
        names = await ptr(examination.resolver, address)
        leading_back = [name for name in names if address in await addresses(examination.resolver, name)]
    except ResolutionError as error:
        return unresolved("ptr", address, error)
    except InvalidNameError:
        names, leading_back = [], []
    if not names:
        text = "The address has no PTR record: many receivers refuse or distrust its mail."
        return Finding(check="ptr", status="problem", subject=address, text=text, fix=fix)
    if not leading_back:
        text = f"Its name {names[0]} does not lead back to it."
        return Finding(check="ptr", status="problem", subject=address, text=text, fix=fix)
    if examination.hostname.lower() not in leading_back:
        text = f"Its name is {leading_back[0]}, and the host greets as {examination.hostname}."
        return Finding(check="ptr", status="warning", subject=address, text=text, fix=fix)
    return Finding(check="ptr", status="ok", subject=address, text=f"{leading_back[0]} leads there and back.")


async def check_dns_records(examination: Examination) -> list[Finding]:
    """Every record of every domain, and whether mail from here is believed."""
    found = []
    settings = examination.administration.settings
    facts = host_facts(settings, examination.hostname)
    for domain in await examination.domains():
        special = is_special_use(domain.id)
        try:
            checked = await check_records(examination.resolver, domain, facts)
            sources = [] if settings.server.relay_url or domain.relay else await examination.public_addresses()
            lacking = await lacking_records(
                examination.resolver,
                domain,
                examination.hostname,
                sources,
                examination.administration.clock.now(),
            )
        except ResolutionError as error:
            found.append(unresolved("records", domain.id, error))
            continue
        fix = f"Publish what `mailstead dns records {domain.id}` lists."
        for record in checked:
            if record.ok:
                continue
            status: Status = "problem" if record.required and not special else "warning"
            there = f"DNS has {'; '.join(record.found)[:200]}" if record.found else "DNS has none"
            text = f"{record.type} {record.name} is not {record.value[:120]}: {there}. {record.purpose}."
            found.append(Finding(check="records", status=status, subject=domain.id, text=text, fix=fix))
        if all(record.ok for record in checked):
            found.append(Finding(check="records", status="ok", subject=domain.id, text="All records are published."))
        for text in lacking:
            status = "warning" if special else "problem"
            found.append(Finding(check="proof", status=status, subject=domain.id, text=f"{text}.", fix=fix))
        if not lacking:
            found.append(
                Finding(
                    check="proof", status="ok", subject=domain.id, text="SPF, DKIM and DMARC vouch for mail from here."
                )
            )
    return found


async def check_mta_sts(examination: Examination) -> list[Finding]:
    """Domains that announce a policy have one that can be fetched, as strangers do it."""
    found = []
    settings = examination.administration.settings
    wanted = host_facts(settings, examination.hostname).sts
    for domain in await examination.domains():
        try:
            announced = (await examination.resolver.query(f"_mta-sts.{domain.id}", "TXT")).records
        except ResolutionError as error:
            found.append(unresolved("mta-sts", domain.id, error))
            continue
        if not announced:
            continue
        fix = f"Let mta-sts.{domain.id} lead to this host, with a certificate for that name: mailstead cert issue."
        try:
            policy = await fetch_policy(
                domain.id,
                examination.resolver,
                examination.contexts.client(True),
                port=settings.mta_sts.remote_port,
                timeout=settings.doctor.timeout,
                size_limit=settings.mta_sts.size_limit,
            )
        except FetchError as error:
            text = f"The policy is announced and cannot be had: {error}."
            found.append(Finding(check="mta-sts", status="problem", subject=domain.id, text=text, fix=fix))
            continue
        if policy != wanted:
            text = f"The policy that is served is not ours: mode {policy.mode}, servers {', '.join(policy.mx)}."
            found.append(Finding(check="mta-sts", status="warning", subject=domain.id, text=text, fix=fix))
        else:
            text = f"The policy can be had, mode {policy.mode}."
            found.append(Finding(check="mta-sts", status="ok", subject=domain.id, text=text))
    return found


async def check_blocklists(examination: Examination) -> list[Finding]:
    """No blocklist names the host's addresses or the domains."""
    settings = examination.administration.settings.doctor
    try:
        public = await examination.public_addresses()
    except ResolutionError as error:
        return [unresolved("blocklists", examination.hostname, error)]
    found = []
    for address in public:
        parsed = ipaddress.ip_address(address)
        if parsed.is_global:
            reversed_name = parsed.reverse_pointer.rsplit(".", 2)[0]
            found += [
                await _listed(examination, address, f"{reversed_name}.{zone}", zone) for zone in settings.blocklists
            ]
    for domain in await examination.domains():
        if not is_special_use(domain.id):
            found += [
                await _listed(examination, domain.id, f"{domain.id}.{zone}", zone)
                for zone in settings.domain_blocklists
            ]
    return found


async def _listed(examination: Examination, subject: str, name: str, zone: str) -> Finding:
    try:
        answers = [ipaddress.ip_address(text) for text in (await examination.resolver.query(name, "A")).records]
    except ResolutionError as error:
        return unresolved("blocklists", subject, error)
    if any(answer in _REFUSED_BY_LIST for answer in answers):
        text = f"{zone} does not answer this DNS server; it answers no public ones."
        fix = "Run a resolver of your own (unbound) and name it in MAILSTEAD_DNS_SERVERS."
        return Finding(check="blocklists", status="unknown", subject=subject, text=text, fix=fix)
    if not answers:
        return Finding(check="blocklists", status="ok", subject=subject, text=f"{zone} does not name it.")
    fix = f"Find out why at the list's own page ({zone}), stop it (mailstead sending use), and ask to be removed there."
    codes = ", ".join(map(str, answers[:5]))
    return Finding(check="blocklists", status="problem", subject=subject, text=f"{zone} lists it ({codes}).", fix=fix)
