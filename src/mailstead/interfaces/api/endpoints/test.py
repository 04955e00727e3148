"""Whether the API answers."""

import msgspec
from litestar import Controller, get

from mailstead.interfaces.api.access import OPEN


class Alive(msgspec.Struct, frozen=True):
    """The API answers."""

    ok: bool = True


class TestController(Controller):
    """/test"""

    path = "/test"
    tags = ("Health",)

    @get("/", opt={"access": OPEN}, security=[{}], summary="Whether the API answers")
    async def test(self) -> Alive:
        """Needs no credentials."""
        return Alive()
