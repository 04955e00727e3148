"""The server as its admins see it: settings and status."""

import msgspec
from litestar import Controller, get

from mailstead.foundation.config.document import written
from mailstead.foundation.config.load import options
from mailstead.interfaces.api.access import ADMIN
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.api.status import StatusShown


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
