"""What is printed when the services are up."""

import msgspec
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from mailstead.services.first_start import DEMO_DOMAIN, Made, set_up
from mailstead.services.runtime import Serving

_WIDTH = 110


class FirstStart(msgspec.Struct, frozen=True):
    """What `serve` was asked to set up when there is no domain yet."""

    demo: bool
    domain: str
    admin: str

    async def run(self, serving: Serving) -> None:
        """Set up when that is wanted and needed, then print the box."""
        made: Made | None = None
        if self.domain:
            made = await set_up(serving, domain=self.domain, admin=self.admin, others=(), demo=False)
        elif self.demo:
            others = (f"alice@{DEMO_DOMAIN}", f"bob@{DEMO_DOMAIN}")
            made = await set_up(serving, domain=DEMO_DOMAIN, admin=f"admin@{DEMO_DOMAIN}", others=others, demo=True)
        print_box(serving, made)


def print_box(serving: Serving, made: Made | None) -> None:
    """One box: services with ports, accounts with passwords when they were just made."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    for name, endpoint in serving.endpoints.items():
        table.add_row(name, f"{endpoint.host}:{endpoint.port}", "" if endpoint.tls == "none" else endpoint.tls)
    if made is not None:
        table.add_row("", "", "")
        for account in (made.admin, *made.accounts):
            table.add_row(account.address, account.password, "shown this once")
    table.add_row("", "", "")
    table.add_row("certificate authority", str(serving.authority), "")
    console = Console()
    console.width = max(console.width, _WIDTH)  # a password must never be cut
    console.print(Panel(table, title="Mailstead", expand=False, padding=(1, 2)))
