"""A login that fails costs the same work and gets the same answer whether or not there is such an account."""

from pathlib import Path
from typing import Any

import pytest

from mailstead.foundation.crypto.passwords import new_app_password
from mailstead.foundation.errors import AuthenticationError
from support.installation import installation

WRONG = "not the password of anybody"


@pytest.mark.parametrize(
    ("password", "derivations"),
    [(WRONG, 1), ("", 0), ("x" * 2000, 0), (new_app_password(), 0)],
    ids=["a person's", "empty", "too long", "a program's"],
)
async def test_every_refusal_derives_as_often_as_the_others(tmp_path: Path, password: str, derivations: int) -> None:
    async with installation(tmp_path) as house:
        await house.disable("bob@example.test", 550)
        counted: list[str] = []
        derive = house.authenticator.derive

        async def counting(function: Any, *args: Any, **kwargs: Any) -> Any:
            counted.append(function.__name__)
            return await derive(function, *args, **kwargs)

        house.authenticator.derive = counting  # type: ignore[method-assign]
        await house.authenticator._made_up()  # made once for a process, at the first login that needs it
        answers = set()
        logins = (
            "alice@example.test",
            "bob@example.test",
            "nobody@example.test",
            "x@elsewhere.test",
            "no address",
            "ä@ö.",
        )
        for login in logins:
            counted.clear()
            with pytest.raises(AuthenticationError) as refused:
                await house.authenticator.authenticate(login, password, service="api", peer="192.0.2.1")
            answers.add((str(refused.value), refused.value.http_status))
            assert counted == ["unwrap"] * derivations, login
        assert len(answers) == 1
