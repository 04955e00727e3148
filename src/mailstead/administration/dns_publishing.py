"""Publishing a domain's records through its DNS provider: what lacks is added, what others published is left alone.

A record that stands in the way (another MX, a CNAME, an SPF policy that differs) is a conflict: it is replaced only when
that is asked for. A DMARC or TLSRPT policy of the domain's own is no conflict, whatever it says. What the provider has no
way to publish (TLSA at most of them) is told as unsupported, and the others go on.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from mailstead.administration.dns_providers.provider import DnsProvider, UnsupportedRecordError, same_value
from mailstead.administration.dns_records import Record

Outcome = Literal["published", "kept", "replaced", "conflict", "unsupported"]
_OWN_POLICY = ("v=DMARC1", "v=TLSRPTv1")  # one of each at a name, and people choose their own
_ONE_POLICY = ("v=spf1", "v=STSv1", *_OWN_POLICY)
_EXCLUSIVE = ("MX", "CNAME", "SRV")  # a value of another's beside ours sends part of the mail or the programs elsewhere


class Published(msgspec.Struct, frozen=True):
    """What became of a record; `found` is what stood at its name before and mattered."""

    name: str
    type: str
    value: str
    outcome: Outcome
    found: tuple[str, ...]


class _Plan(msgspec.Struct, frozen=True):
    record: Record
    is_there: bool
    in_the_way: tuple[tuple[str, str], ...]  # types and values


async def publish(
    provider: DnsProvider, records: Sequence[Record], *, replace: bool = False, dry_run: bool = False, ttl: int = 3600
) -> list[Published]:
    """Publish `records`, in order; `dry_run` only tells what would be done. `ttl` in seconds.

    Nothing is changed before everything was looked at. Raises DnsProviderError; what was published by then stays, and
    another call goes on from there.
    """
    plans = [await _plan(provider, record) for record in records]
    done = []
    for plan in plans:
        record = plan.record
        outcome: Outcome = "published"
        if plan.is_there and not plan.in_the_way:
            outcome = "kept"
        elif plan.in_the_way:
            outcome = "replaced" if replace else "conflict"
        if outcome in ("published", "replaced") and not dry_run:
            for kind, value in plan.in_the_way:
                await provider.remove(record.name, kind, value)
            if not plan.is_there:
                try:
                    await provider.add(record.name, record.type, record.value, ttl)
                except UnsupportedRecordError:
                    outcome = "unsupported"
        found = tuple(value for _, value in plan.in_the_way)
        done.append(Published(record.name, record.type, record.value, outcome, found))
    return done


async def _plan(provider: DnsProvider, record: Record) -> _Plan:
    known = await provider.values(record.name, record.type)
    is_there = any(same_value(record.type, record.value, value) for value in known)
    others = [value for value in known if not same_value(record.type, record.value, value)]
    in_the_way: list[tuple[str, str]] = []
    if record.type in _EXCLUSIVE:
        in_the_way += [(record.type, value) for value in others]
    for policy in _ONE_POLICY:
        if record.type == "TXT" and record.value.startswith(policy):
            rivals = [value for value in others if value.lower().startswith(policy.lower())]
            if policy in _OWN_POLICY:
                is_there = is_there or bool(rivals)
            else:
                in_the_way += [(record.type, value) for value in rivals]
    if record.type != "CNAME" and not known:
        in_the_way += [("CNAME", value) for value in await provider.values(record.name, "CNAME")]
    return _Plan(record, is_there, tuple(in_the_way))
