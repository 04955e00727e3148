"""`mailstead access`, `mailstead junk`, `mailstead check junk`."""

from pathlib import Path

from support.command_line import CommandLine
from support.screened import letter

ALICE = "alice@example.test"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def test_lists_of_the_server_and_of_a_domain(domain: CommandLine) -> None:
    domain.run("access", "deny", "Evil.Example", "--note", "sends junk")
    domain.run("access", "deny", "192.0.2.77/24", "--domain", "example.test")
    allowed = domain.json("access", "allow", "@evil.example")
    assert allowed == {"verdict": "allow", "kind": "domain", "value": "evil.example"}
    (entry,) = domain.json("access", "list")
    assert (entry["verdict"], entry["value"], entry["note"], entry["created_by"]) == (
        "allow",
        "evil.example",
        "",
        "command line",
    )
    (own,) = domain.json("access", "list", "--domain", "example.test")
    assert (own["kind"], own["value"]) == ("network", "192.0.2.0/24")
    assert domain.refused("access", "allow", "no such thing") == (
        "no such thing: neither an address, a domain, nor a network"
    )
    assert "There is no domain other.test here" in domain.refused("access", "list", "--domain", "other.test")
    domain.run("access", "remove", "evil.example")
    assert domain.json("access", "list") == []
    assert domain.refused("access", "remove", "evil.example") == (
        "There is no entry evil.example in the list of the server"
    )


def test_how_an_alias_filters(domain: CommandLine) -> None:
    assert domain.json("junk", "status", ALICE)["threshold"] == 5.0
    domain.run("junk", "set", ALICE, "--threshold", "3.5", "--no-filter")
    found = domain.json("junk", "status", ALICE)
    assert (found["filters"], found["threshold"], found["own_threshold"]) == (False, 3.5, True)
    domain.run("junk", "set", ALICE, "--server-threshold", "--filter")
    found = domain.json("junk", "status", ALICE)
    assert (found["filters"], found["threshold"], found["learned_junk"]) == (True, 5.0, 0)
    assert "nothing to change" in domain.refused("junk", "set", ALICE, code=2)
    assert domain.run("junk", "set", ALICE, "--threshold", "0").code == 2
    domain.run("junk", "forget", ALICE)


def test_the_server_learns_from_files(domain: CommandLine, tmp_path: Path) -> None:
    junk, good = tmp_path / "junk", tmp_path / "good.mbox"
    (junk / "cur").mkdir(parents=True)
    for number in range(3):
        (junk / "cur" / f"{number}.eml").write_bytes(letter(f"cheap watches {number}"))
    good.write_bytes(
        b"".join(
            b"From a Tue Nov 24 10:00:00 2026\n" + letter("minutes").replace(b"\r\n", b"\n") + b"\n" for _ in range(2)
        )
    )
    assert domain.json("junk", "train", "--junk", str(junk), "--good", str(good)) == {"junk": 3, "good": 2}
    found = domain.json("junk", "status")
    assert (found["learned_junk"], found["learned_good"], found["words_count"]) == (3, 2, False)
    domain.run("junk", "forget")
    assert domain.json("junk", "status")["learned_junk"] == 0
    assert "cannot do that" in domain.refused("junk", "train", "--junk", str(tmp_path / "none"))


def test_what_would_become_of_a_message(domain: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_bytes(letter(GTUBE))
    found = domain.json("check", "junk", str(tmp_path / "m.eml"), "--to", ALICE)
    assert found["junk"]
    assert found["refusal"]["code"] == 550
    assert found["tests"][0] == {"points": 1000.0, "test": "GTUBE", "words": "it is the test message for junk filters"}
    shown = domain.run("check", "junk", "-", "--to", ALICE, given=letter().decode())
    assert shown.code == 0
    assert "good, " in shown.out
    assert domain.refused("check", "junk", str(tmp_path / "m.eml"), "--ip", "x", code=2) == "'x' is no IP address"
    assert domain.json("junk", "status")["learned_junk"] == 0, "trying teaches nothing"
