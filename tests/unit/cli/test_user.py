"""`mailstead user`."""

from support.command_line import CommandLine


def test_a_generated_password_is_shown_once(line: CommandLine) -> None:
    added = line.json("user", "add", "Carol@Elsewhere.Test", "--admin")
    assert added == {"address": "carol@elsewhere.test", "admin": True, "password": added["password"]}
    assert len(added["password"]) > 30
    assert added["password"] not in line.run("user", "list", "--json").out


def test_a_given_password_is_not_repeated(line: CommandLine) -> None:
    ended = line.run("user", "add", "carol@elsewhere.test", "--password-stdin", given="correct horse battery\n")
    assert (ended.code, ended.out) == (0, "carol@elsewhere.test added, password as given\n")
    assert line.refused("user", "add", "dave@elsewhere.test", "--password-stdin", code=2).startswith("no password")


def test_a_user_of_a_served_domain_has_a_mailbox(domain: CommandLine) -> None:
    (alias,) = domain.json("alias", "list")
    assert (alias["address"], alias["mailbox"]) == ("alice@example.test", True)


def test_roles_and_passwords_change(domain: CommandLine) -> None:
    assert domain.json("user", "set", "alice@example.test", "--no-admin") == {
        "address": "alice@example.test",
        "admin": False,
    }
    domain.json("user", "set", "alice@example.test", "--password-stdin", given="another long password\n")
    names = [password["name"] for password in domain.json("alias", "passwords", "alice@example.test")]
    assert "account password" in names


def test_removal(domain: CommandLine) -> None:
    domain.json("user", "add", "bob@example.test")
    assert domain.json("user", "remove", "bob@example.test") == {"address": "bob@example.test"}
    assert [user["address"] for user in domain.json("user", "list")] == ["alice@example.test"]
    assert domain.refused("user", "remove", "bob@example.test") == "There is no user bob@example.test"


def test_near_misses_are_named(domain: CommandLine) -> None:
    assert domain.refused("user", "set", "alcie@example.test", "--admin") == (
        "There is no user alcie@example.test; did you mean alice@example.test?"
    )
    assert domain.refused("user", "add", "alice@example.test") == "There is a user alice@example.test already"
    assert domain.refused("user", "add", "nobody") == "nobody: not an address"
