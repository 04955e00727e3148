from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.dns.lookups import NULL_MX, addresses, mx, ptr, txt
from mailstead.foundation.dns.resolver import Resolver
from support.dns_authority import Records, dns_authority

ZONE: Records = {
    "example.test": {"MX": ["20 b.example.test.", "10 A.example.test."], "TXT": ["v=spf1 " + "a" * 400, '"one" "two"']},
    "none.example.test": {"MX": "0 ."},
    "odd.example.test": {"MX": ["0 .", "10 a.example.test."]},
    "a.example.test": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": "2001:db8::1"},
    "1.2.0.192.in-addr.arpa": {"PTR": "A.Example.test."},
    "1" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa": {"PTR": "a.example.test."},
}


async def test_what_mail_asks() -> None:
    with dns_authority(ZONE) as authority:
        resolver = Resolver((authority.address,), DnsSettings(), ManualClock())
        assert await mx(resolver, "example.test") == [(10, "a.example.test"), (20, "b.example.test")]
        assert await mx(resolver, "none.example.test") == NULL_MX
        assert await mx(resolver, "odd.example.test") == [(10, "a.example.test")]
        assert await mx(resolver, "a.example.test") == []
        assert await mx(resolver, "nowhere.example.test") == []
        found = await addresses(resolver, "a.example.test")
        assert found[0] == "2001:db8::1"
        assert sorted(found[1:]) == ["192.0.2.1", "192.0.2.2"]
        assert sorted(await txt(resolver, "example.test")) == ["onetwo", "v=spf1 " + "a" * 400]
        assert await ptr(resolver, "192.0.2.1") == ["a.example.test"]
        assert await ptr(resolver, "2001:db8::1") == ["a.example.test"]
        assert await ptr(resolver, "192.0.2.99") == []
