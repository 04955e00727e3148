"""What an address is here."""

from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import add_alias
from mailstead.foundation.errors import InvalidError
from mailstead.stores.directory.names import InvalidAddressError, checked_pattern, domain_name, split_address
from mailstead.stores.directory.records import Domain
from mailstead.stores.directory.targets import checked_target
from support.installation import Installation, installation


async def led_to(made: Installation, address: str) -> list[str]:
    """Where mail for an address goes, or why it goes nowhere."""
    found = await made.directory.resolve(address)
    if found.outcome != "accepted":
        return [found.outcome if found.disabled_code is None else f"{found.outcome} {found.disabled_code}"]
    names = {"mailbox": "mailbox of "}
    aliases = {one.id: one.address for one in [found.alias] if one is not None}
    return [
        names.get(one.kind, "") + (aliases[one.alias_id] if one.kind == "mailbox" else one.address)
        for one in found.destinations
    ]


async def forward(made: Installation, address: str, *targets: str) -> None:
    await add_alias(made.administration, COMMAND_LINE, address, forward_to=targets, with_mailbox=False)


async def test_the_nearest_name_counts(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        await made.directory.add(Domain(id="xn--grn-ioa.test", owner_id="owner", version=1))
        await made.add_account("alice+news@example.test")
        await forward(made, r"/shop-(\w+)/@example.test", "orders+$1@remote.test")
        await forward(made, "*@example.test", "rest@remote.test")
        await made.add_account("jürgen@grün.test")
        expected = {
            "alice@example.test": ["mailbox of alice@example.test"],
            "ALICE@Example.TEST": ["mailbox of alice@example.test"],
            '"alice"@example.test': ["mailbox of alice@example.test"],
            "alice+any@example.test": ["mailbox of alice@example.test"],
            "alice+news@example.test": ["mailbox of alice+news@example.test"],
            "shop-tea@example.test": ["orders+tea@remote.test"],
            "SHOP-TEA@example.test": ["orders+tea@remote.test"],
            "shop-tea-cup@example.test": ["rest@remote.test"],
            "nobody@example.test": ["rest@remote.test"],
            "+tag@example.test": ["rest@remote.test"],
            "jürgen@grün.test": ["mailbox of jürgen@xn--grn-ioa.test"],
            "ju\u0308rgen@xn--grn-ioa.test": ["mailbox of jürgen@xn--grn-ioa.test"],
            "jurgen@grün.test": ["unknown"],
            "alice@elsewhere.test": ["not_local"],
            "alice@": ["unknown"],
            "@example.test": ["unknown"],
            "alice": ["unknown"],
            "a" * 65 + "@example.test": ["unknown"],
            "alice@exa mple.test": ["unknown"],
            "alice@" + "a." * 200 + "test": ["unknown"],
        }
        assert {address: await led_to(made, address) for address in expected} == expected


@pytest.mark.parametrize("code", [250, 421, 450, 550])
async def test_a_disabled_alias_says_its_code_and_hides_no_other(tmp_path: Path, code: int) -> None:
    async with installation(tmp_path) as made:
        await forward(made, "*@example.test", "rest@remote.test")
        await made.disable("alice@example.test", code)
        for address in ("alice@example.test", "alice+tag@example.test"):
            assert await led_to(made, address) == [f"disabled {code}"]
        assert await led_to(made, "alicia@example.test") == ["rest@remote.test"]


async def test_changes_are_seen_at_once(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        assert await led_to(made, "new@example.test") == ["unknown"]
        await forward(made, "new@example.test", "far@remote.test", "bob@example.test")
        assert await led_to(made, "new@example.test") == ["far@remote.test", "bob@example.test"]
        assert await led_to(made, "x@new.test") == ["not_local"]
        await made.directory.add(Domain(id="new.test", owner_id="owner", version=1))
        assert await led_to(made, "x@new.test") == ["unknown"]


@pytest.mark.parametrize(
    "name", ["/(a)\\1/", "/(?=a)b/", "/[/", "/" + "a" * 501 + "/", "//", "/a", "/a/x", "/(a{1000}){1000}/"]
)
def test_what_is_no_pattern(name: str) -> None:
    with pytest.raises(InvalidAddressError):
        checked_pattern(name)


@pytest.mark.parametrize("name", ["/(a+)+b/", "/(a|a)*b/", "/((a*)*)*b/", "/(x+x+)+y/i", "/a*a*a*a*a*a*a*a*a*b/gi"])
def test_no_pattern_takes_more_than_linear_time(name: str) -> None:
    pattern = checked_pattern(name)
    assert pattern.fullmatch("a" * 64 + "c") is None
    assert pattern.fullmatch("x" * 64 + "Y") is not None or "y" not in name


async def test_what_a_pattern_matched_becomes_a_part_of_a_target_and_never_more(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        await forward(
            made, "/to-(.*)/@example.test", "$1@remote.test", "https://hooks.test/$1?x=$2", "$1.inner.test:2525"
        )
        expected = {
            "to-bob@example.test": ["bob@remote.test", "https://hooks.test/bob?x=", "bob.inner.test:2525"],
            '"to-a b"@example.test': ["https://hooks.test/a%20b?x="],
            '"to-a@evil.test> NOTIFY=NEVER <"@example.test': [
                "https://hooks.test/a%40evil.test%3E%20notify%3Dnever%20%3C?x="
            ],
            '"to-a/../../b?c#d"@example.test': ["https://hooks.test/a%2F..%2F..%2Fb%3Fc%23d?x="],
            "to-a=b@example.test": ["a=b@remote.test", "https://hooks.test/a%3Db?x="],
        }
        assert {address: await led_to(made, address) for address in expected} == expected


async def test_the_tag_goes_on_to_addresses_that_have_none(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        await forward(
            made, "team@example.test", "far@remote.test", "far+own@remote.test", "https://hooks.test/", "mx.inner.test"
        )
        assert await led_to(made, "team+list@example.test") == [
            "far+list@remote.test",
            "far+own@remote.test",
            "https://hooks.test/",
            "mx.inner.test",
        ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Bob@Remote.TEST", "bob@remote.test"), ("mx.remote.test", "mx.remote.test"), ("10.0.0.1:2525", "10.0.0.1:2525"),
        ("[2001:db8::1]:25", "[2001:db8::1]:25"), ("https://Hooks.test/A", "https://Hooks.test/A"),
        ("$1@remote.test", "$1@remote.test"),
    ],
)  # fmt: skip
def test_targets_of_all_kinds(text: str, kept: str) -> None:
    assert checked_target(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "", "bob", "localhost", "bob@", "@remote.test", "a b@remote.test", "mx.test:0", "mx.test:70000", "1.2.3.4.5", "1.2.3",
        "https://", "https://u:p@hooks.test/", "ftp://hooks.test/", "mx.test:25:25", "[::1", '"a b"@remote.test',
        "a\r\nb@remote.test", "a..b@remote.test",
    ],
)  # fmt: skip
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(InvalidError):
        checked_target(text)


@pytest.mark.parametrize(
    "text", ["", "a@", "@b.test", "a@b..test", "a@-b.test", "a\x00b@c.test", "a@b_.test-", "a@\ud800.test"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        split_address(text)


def test_domains_have_one_form() -> None:
    assert {domain_name(text) for text in ("GRÜN.test.", "grün.test", " xn--grn-ioa.test")} == {"xn--grn-ioa.test"}
