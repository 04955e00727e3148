"""The `mailstead` command; nouns register themselves as sub-applications."""

from typing import Annotated

import typer

import mailstead
from mailstead.cli import alias, configuration, dkim, dns, domain, mailbox, migrate, queue, user
from mailstead.cli.serve import serve
from mailstead.cli.status import status
from mailstead.cli.trace import trace

application = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailstead {mailstead.__version__}")
        raise typer.Exit


@application.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Mailstead: a complete self-hosted email system."""


application.command("serve")(serve)
application.command("status")(status)
application.command("trace")(trace)
application.command("migrate")(migrate.migrate)
application.add_typer(user.app, name="user")
application.add_typer(domain.app, name="domain")
application.add_typer(alias.app, name="alias")
application.add_typer(mailbox.app, name="mailbox")
application.add_typer(queue.app, name="queue")
application.add_typer(dns.app, name="dns")
application.add_typer(dkim.app, name="dkim")
application.add_typer(configuration.app, name="config")


def main() -> None:
    """Run the command line."""
    application()
