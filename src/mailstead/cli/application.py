"""The `mailstead` command; nouns register themselves as sub-applications."""

from typing import Annotated

import typer

import mailstead
from mailstead.cli import (
    access,
    alias,
    alias_mail,
    backup,
    calendar,
    cert,
    check,
    configuration,
    contacts,
    dkim,
    dns,
    domain,
    junk,
    mailbox,
    mailbox_transfer,
    migrate,
    queue,
    reports,
    sending,
    sieve,
    suppression,
    update,
    user,
)
from mailstead.cli.check_junk import check_junk
from mailstead.cli.doctor import doctor
from mailstead.cli.health import health
from mailstead.cli.serve import serve
from mailstead.cli.setup import setup
from mailstead.cli.status import status
from mailstead.cli.trace import trace

application = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    suggest_commands=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
application.command("setup")(setup)
application.command("status")(status)
application.command("doctor")(doctor)
application.command("health")(health)
application.command("trace")(trace)
check.app.command("junk")(check_junk)
application.command("migrate")(migrate.migrate)
mailbox.app.command("import")(mailbox_transfer.import_mail)
mailbox.app.command("export")(mailbox_transfer.export_mail)
alias.app.command("vacation")(alias_mail.vacation)
alias.app.command("encryption")(alias_mail.encryption)
for name, app in (
    ("user", user.app),
    ("domain", domain.app),
    ("alias", alias.app),
    ("mailbox", mailbox.app),
    ("calendar", calendar.app),
    ("contacts", contacts.app),
    ("queue", queue.app),
    ("sending", sending.app),
    ("reports", reports.app),
    ("suppression", suppression.app),
    ("sieve", sieve.app),
    ("access", access.app),
    ("junk", junk.app),
    ("dns", dns.app),
    ("dkim", dkim.app),
    ("cert", cert.app),
    ("backup", backup.app),
    ("update", update.app),
    ("check", check.app),
    ("config", configuration.app),
):
    app.suggest_commands = False  # click does that by itself now
    application.add_typer(app, name=name)


def main() -> None:
    """Run the command line."""
    application()
