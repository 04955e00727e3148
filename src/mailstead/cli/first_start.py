"""What is printed when the services are up."""

from collections.abc import Mapping

import msgspec
from rich.console import Console
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table

from mailstead.administration.setup import new_setup_token
from mailstead.services.first_start import Made, Wanted, set_up
from mailstead.services.ready import Endpoint
from mailstead.services.runtime import Serving

_WIDEST = 1000
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 compared, not bound
_TLS = {"none": "", "starttls": "STARTTLS", "implicit": "TLS"}
_SCHEMES = {"https": "https://", "http": "http://", "api": "http://", "metrics": "http://"}  # what a browser opens
_PURPOSES = {
    "imaps": "read mail",
    "imap": "read mail",
    "pop3s": "read mail",
    "pop3": "read mail",
    "sieve": "filter scripts",
    "submissions": "send mail",
    "submission": "send mail",
    "mx": "mail from other hosts",
    "lmtp": "mail from our own services",
    "https": "web",
    "http": "web",
    "api": "REST API, /v1/docs",
    "metrics": "/metrics and /health/ready",
}


class FirstStart(msgspec.Struct, frozen=True):
    """What `serve` was asked to set up when there is no domain yet."""

    wanted: Wanted | None

    async def run(self, serving: Serving) -> None:
        """Set up when that is wanted and needed, then print the box; the link of the wizard while nobody administers."""
        made = None if self.wanted is None else await set_up(serving, self.wanted)
        token = await new_setup_token(serving.wiring.stores.administration)
        print_box(serving, made, "" if token is None else _link(serving, token))


def _link(serving: Serving, token: str) -> str:
    for name in ("https", "http"):
        endpoint = serving.endpoints.get(name)
        if endpoint is not None:
            host = serving.wiring.hostname if endpoint.host in _EVERYWHERE else endpoint.host
            return f"{name}://{f'[{host}]' if ':' in host else host}:{endpoint.port}/setup/{token}"
    return ""


def print_box(serving: Serving, made: Made | None, link: str = "") -> None:
    """One box: services with ports, accounts with passwords when they were just made, the link of the wizard."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for style in ("bold", "", "dim", "dim"):
        table.add_column(style=style, no_wrap=True)
    for row in _services(serving.endpoints):
        table.add_row(*row)
    if made is not None:
        table.add_row()
        for account in (made.admin, *made.accounts):
            table.add_row(account.address, account.password, "", "administrator" if account == made.admin else "")
        table.add_row("", "passwords are shown this once")
    if link:
        table.add_row()
        table.add_row("set up here", link)
    table.add_row()
    table.add_row("CA certificate", str(serving.authority))
    console = Console(highlight=False)
    # nothing is ever cut, however narrow the terminal: a password must be whole
    console.width = max(
        console.width, Measurement.get(console, console.options.update(width=_WIDEST), table).maximum + 6
    )
    console.print(
        Panel(table, title="Mailstead", subtitle="mailstead --help · Ctrl-C stops", expand=False, padding=(1, 2))
    )


def _services(endpoints: Mapping[str, Endpoint]) -> list[tuple[str, str, str, str]]:
    """A row for each endpoint, those that people look for first."""
    order = [*(name for name in _PURPOSES if name in endpoints), *(name for name in endpoints if name not in _PURPOSES)]
    return [
        (name, f"{_SCHEMES.get(name, '')}{endpoint.host}:{endpoint.port}", _TLS[endpoint.tls], _PURPOSES.get(name, ""))
        for name, endpoint in ((name, endpoints[name]) for name in order)
    ]
