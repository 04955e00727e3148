"""Thunderbird without a screen, told by Marionette what to do (Mozilla's remote protocol: lengths, colons, JSON)."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.eventually import eventually_sync
from support.ports import free_port
from support.programs import require_program

_LONGEST = 60.0
_PREFERENCES = {
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.spotlight.firstRunDone": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",  # nothing leaves the machine
    "mail.instrumentation.postUrl": "",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": False,  # they would keep passwords from being saved
}


class Thunderbird:
    """A running Thunderbird; its own scripts are run in it as the program's own code is."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._number = 0
        self._receive()  # what the other side is
        self._send("WebDriver:NewSession", capabilities={})
        self._send("Marionette:SetContext", value="chrome")

    def _receive(self) -> Any:
        size = b""
        while (octet := self._link.recv(1)) != b":":
            assert octet, "Thunderbird ended"
            size += octet
        data = b""
        while len(data) < int(size):
            data += self._link.recv(int(size) - len(data))
        return json.loads(data)

    def _send(self, command: str, **parameters: Any) -> Any:
        self._number += 1
        text = json.dumps([0, self._number, command, parameters]).encode()
        self._link.sendall(b"%d:%s" % (len(text), text))
        _, _, error, found = self._receive()
        assert error is None, error
        return found

    def run(self, script: str, *arguments: object) -> Any:
        """What the body of an async function returns, as JSON knows it; the test fails with what it throws."""
        answer = f"test.answer{self._number}"
        started = f"""
            (async (...arguments) => {{ {script} }})(...arguments).then(
                found => Services.prefs.setStringPref("{answer}", JSON.stringify([found ?? null])),
                error => Services.prefs.setStringPref("{answer}", JSON.stringify({{error: `${{error}} ${{error.stack}}`}})),
            );
        """
        self._send("WebDriver:ExecuteScript", script=started, args=list(arguments))
        read = f"return Services.prefs.getStringPref('{answer}', '')"
        until = time.monotonic() + _LONGEST
        while not (text := self._send("WebDriver:ExecuteScript", script=read, args=[])["value"]):
            assert time.monotonic() < until, script
            time.sleep(0.05)
        found = json.loads(text)
        assert isinstance(found, list), found
        return found[0]


@contextmanager
def thunderbird(folder: Path) -> Iterator[Thunderbird]:
    """Thunderbird with a profile and home of its own in `folder`."""
    program = require_program("thunderbird")
    profile, port = folder / "profile", free_port()
    profile.mkdir()
    preferences = _PREFERENCES | {"marionette.port": port}
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
    (profile / "user.js").write_text("".join(lines))
    command: list[str | Path] = [
        program,
        "--headless",
        "--marionette",
        "--no-remote",
        "--profile",
        profile,
        "-remote-allow-system-access",
    ]
    with (folder / "thunderbird.log").open("wb") as log:
        environment = os.environ | {"HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1", "TZ": "UTC"}
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            links: list[socket.socket] = []

            def is_there() -> bool:
                assert process.poll() is None, (folder / "thunderbird.log").read_text("utf-8", "replace")[-2000:]
                try:
                    links.append(socket.create_connection(("127.0.0.1", port), timeout=_LONGEST))
                except ConnectionRefusedError:
                    return False
                return True

            eventually_sync(is_there, longest=_LONGEST, pause=0.1)
            with links[0] as link:
                yield Thunderbird(link)
        finally:
            process.terminate()
            process.wait(_LONGEST)
