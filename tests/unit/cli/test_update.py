"""`mailstead update` as the host's updater and people use it."""

import json
from typing import Any

from support.command_line import CommandLine


def exchange(line: CommandLine, **told: str) -> Any:
    return json.loads(line.run("update", "exchange", given=json.dumps(told)).out)


def test_nothing_is_asked_for_where_nobody_listens(domain: CommandLine) -> None:
    assert domain.json("update", "status")["updater_listens"] is False
    assert "No updater of this host looks for requests" in domain.refused("update", "now")


def test_a_request_is_given_once_and_the_outcome_told(domain: CommandLine) -> None:
    assert exchange(domain)["action"] == ""
    assert domain.json("update", "status")["updater_listens"] is True
    domain.json("update", "now", "v9.9.9")
    assert domain.json("update", "status")["pending"] == "now"
    given = exchange(domain)
    assert (given["action"], given["version"], given["by"]) == ("now", "v9.9.9", "command line")
    assert exchange(domain)["action"] == ""
    exchange(domain, outcome="failed", text="v9.9.9 did not come up well", version="v1.0.0", previous="v0.9.0")
    found = domain.json("update", "status")
    assert (found["last_outcome"], found["previous"]) == ("failed", "v0.9.0")
    assert [one["recipients"] for one in domain.json("queue", "list")] == [["alice@example.test"]]
    domain.json("update", "rollback")
    exchange(domain, outcome="updated", text="meanwhile")
    assert exchange(domain)["action"] == "rollback"
    assert "that is not what an updater tells" in domain.refused("update", "exchange", code=2, given="{")


def test_schemas_are_told(domain: CommandLine) -> None:
    assert domain.json("migrate", "--versions").keys() == {"documents", "mailbox"}
