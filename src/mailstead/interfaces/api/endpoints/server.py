"""The server as its admins see it: settings and status."""

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from mailstead.administration.doctor.examine import examine
from mailstead.administration.doctor.finding import Finding
from mailstead.foundation.config.document import written
from mailstead.foundation.config.load import options
from mailstead.interfaces.api.access import ADMIN
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.api.status import StatusShown
from mailstead.interfaces.identity import Identity


class SettingShown(msgspec.Struct, frozen=True):
    """One setting by its name in the environment; a secret's value is only told to be set."""

    name: str
    value: str
    default: str
    allowed: str
    description: str
    object: str = "setting"


class ServerController(Controller):
    """/server"""

    path = "/server"
    tags = ("Administration",)
    opt = {"access": ADMIN}

    @get("/settings", summary="Settings in force")
    async def settings(self, services: ApiServices) -> list[SettingShown]:
        """Changed in the environment or .env, in force after a restart."""
        shown = []
        for option in options():
            value = getattr(getattr(services.settings, option.section), option.name)
            is_secret = option.unit == "secret" and bool(value)
            shown.append(
                SettingShown(
                    option.environment,
                    "(set)" if is_secret else written(option, value),
                    written(option, option.default),
                    option.allowed,
                    option.sentence,
                )
            )
        return shown

    @get("/status", summary="How the server is")
    async def status(self, services: ApiServices) -> StatusShown:
        """Services, regular jobs, the queue and how much there is of everything."""
        return await services.status()

    @get("/doctor", summary="What is wrong with the server")
    async def doctor(
        self,
        identity: Identity,
        services: ApiServices,
        checks: Annotated[
            str, QueryParameter(max_length=500, description="Names of checks, by commas; all without")
        ] = "",
    ) -> list[Finding]:
        """Everything that is looked at, with what to do about it; asks DNS and other hosts, and may take a while."""
        names = [name.strip() for name in checks.split(",") if name.strip()]
        return await examine(identity.actor, services.examination(), names)
