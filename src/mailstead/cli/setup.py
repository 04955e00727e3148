"""`mailstead setup`: from an installation that runs to one that people use, and the care of it afterwards, by a menu.

What is to be done on the host (packages, firewall, containers) is deploy/setup.sh's part, which calls this.
"""

import sys
from collections.abc import Callable
from typing import Annotated

import click
import msgspec
import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.dns_providers.opening import open_provider
from mailstead.administration.dns_publishing import Published, publish
from mailstead.administration.dns_records import Checked, Record, check_records, records, zone_file
from mailstead.administration.domains import add_domain
from mailstead.administration.setup import new_setup_token
from mailstead.cli.configuration import current_settings
from mailstead.cli.dns import own_facts
from mailstead.cli.output import Json, emit_json, emit_table, fail, warn
from mailstead.cli.stores import with_stores
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.services.hostname import host_name
from mailstead.services.stores import Stores
from mailstead.stores.directory.names import domain_name
from mailstead.stores.directory.records import Domain

ZONES = "zones"


class Step(msgspec.Struct, frozen=True):
    """Something that was done, or with a dry run would be; `done` false: it was so already."""

    what: str
    done: bool


class Outcome(msgspec.Struct, frozen=True):
    """What the initial setup came to. `link` is where the first administrator begins; empty when there is one."""

    domain: str
    steps: tuple[Step, ...]
    link: str
    zone_file: str
    records: tuple[Record, ...]
    published: tuple[Published, ...]
    checked: tuple[Checked, ...]


async def _initial(stores: Stores, name: str, *, dry_run: bool, publishing: bool, replace: bool) -> Outcome:
    steps = []
    hostname = host_name(stores.settings)
    domain = await stores.directory.get(Domain, name)
    steps.append(Step(f"serve {name}, with DKIM keys of its own", domain is None))
    if domain is None and not dry_run:
        domain = await add_domain(stores.administration, COMMAND_LINE, name)
    link = ""
    if not dry_run and (token := await new_setup_token(stores.administration)) is not None:
        link = f"https://{hostname}/setup/{token}"
    path = stores.data / ZONES / f"{name}.zone"
    if domain is None:
        return Outcome(name, tuple(steps), link, str(path), (), (), ())
    facts = own_facts(stores.settings)
    text = zone_file(domain, facts)
    changed = not path.exists() or path.read_text("utf-8") != text
    steps.append(Step(f"write {path}", changed))
    if changed and not dry_run:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(text, "utf-8")
    wanted = records(domain, facts)
    published: list[Published] = []
    if publishing:
        settings = stores.settings
        provider = open_provider(
            settings.dns.publish_url, authorities=settings.tls.authorities, timeout=settings.dns.publish_timeout
        )
        published = await publish(provider, wanted, replace=replace, dry_run=dry_run, ttl=settings.dns.publish_ttl)
        for one in published:
            steps.append(Step(f"publish {one.name} {one.type}", one.outcome in ("published", "replaced")))
    try:
        checked = await check_records(stores.resolver, domain, facts)
    except ResolutionError as error:
        warn(f"DNS was not checked: {error}")
        checked = []
    return Outcome(name, tuple(steps), link, str(path), tuple(wanted), tuple(published), tuple(checked))


def initial(domain: str, *, yes: bool, dry_run: bool, publishing: bool, replace: bool, json: bool) -> None:
    """Domain, DKIM keys, the first administrator's link, DNS."""
    settings = current_settings()
    if not settings.server.hostname:
        fail("MAILSTEAD_HOSTNAME is not set: the name of this host, which the domain's MX record names", code=2)
    if not domain:
        if yes:
            fail("--yes needs --domain", code=2)
        domain = typer.prompt("The domain that mail is for", default=settings.server.hostname.partition(".")[2])
    if publishing and not settings.dns.publish_url:
        fail("--publish needs MAILSTEAD_DNS_PUBLISH_URL", code=2)
    if settings.dns.publish_url and not publishing and not yes:
        publishing = typer.confirm("Publish the DNS records through your provider now?", default=False)

    async def work(stores: Stores) -> Outcome:
        name = domain_name(domain)
        return await _initial(stores, name, dry_run=dry_run, publishing=publishing, replace=replace)

    outcome = with_stores(work)
    if json:
        emit_json(outcome)
    else:
        _tell(outcome, dry_run=dry_run)
    if any(one.outcome == "conflict" for one in outcome.published):
        warn("Other records stand in the way; --replace puts these in their place")
        raise typer.Exit(1)


def _tell(outcome: Outcome, *, dry_run: bool) -> None:
    would = "would " if dry_run else ""
    for step in outcome.steps:
        typer.echo(f"{would}{step.what}" if step.done else f"as it is: {step.what}")
    if outcome.records:
        missing = {(one.name, one.type, one.value) for one in outcome.checked if not one.ok}
        rows = [
            msgspec.to_builtins(one)
            | {"published": (one.name, one.type, one.value) not in missing if outcome.checked else None}
            for one in outcome.records
        ]
        typer.echo("\nDNS records of the domain:")
        emit_table(rows, ("published", "type", "name", "value"), json=False)
        typer.echo(f"\nThe same as a zone file: {outcome.zone_file}")
    if outcome.link:
        typer.echo(f"\nThe first administrator begins here, once, within a week:\n\n  {outcome.link}\n")


class Manner(msgspec.Struct, frozen=True):
    """How an item is gone about: without questions, without changes, and for `restore` which mailbox."""

    yes: bool
    dry_run: bool
    mailbox: str = ""


def _run(*arguments: str) -> int:
    """Another command of ours; its exit code."""
    command = click.get_current_context().find_root().command
    return int(command.main(arguments, prog_name="mailstead", standalone_mode=False) or 0)


def _may(manner: Manner, question: str, act: str) -> bool:
    """Whether something that changes is done: told by a dry run, else as --yes or a person at a terminal says."""
    if manner.dry_run:
        typer.echo(f"would {act}")
        return False
    return manner.yes or (sys.stdin.isatty() and typer.confirm(question, default=False))


def _backups(manner: Manner) -> int:
    if _run("backup", "schedule") != 0:
        return 1
    repository = current_settings().backup.repository
    if not repository:
        fail("No repository is set: MAILSTEAD_BACKUP_REPOSITORY")
    if _may(manner, "Make a backup now?", f"make a backup into {repository}"):
        return _run("backup", "run")
    return 0


def _updates(manner: Manner) -> int:
    if _run("update", "status") != 0:
        return 1
    if _may(manner, "Update to the newest version now?", "ask this host's updater for the newest version"):
        return _run("update", "now")
    return 0


def _certificates(manner: Manner) -> int:
    if _may(manner, "Renew what is due now?", "renew what is due") and _run("cert", "renew") != 0:
        return 1
    return _run("cert", "status")


def _restore(manner: Manner) -> int:
    if _run("backup", "list") != 0:
        return 1
    typer.echo("Everything is restored by `mailstead backup restore` while no service runs; mail of one mailbox here.")
    address = manner.mailbox
    if not address and not manner.yes and not manner.dry_run and sys.stdin.isatty():
        address = typer.prompt("The mailbox whose lost mail comes back (empty: none)", default="", show_default=False)
    if not address:
        return 0
    if _run("backup", "show", address) != 0:
        return 1
    if _may(manner, f"Bring this back into {address}?", f"bring this back into {address}"):
        return _run("backup", "restore", "--mailbox", address)
    return 0


def _status(_: Manner) -> int:
    return max(_run("status"), _run("doctor"))


def _help(_: Manner) -> int:
    typer.echo(
        "mailstead COMMAND --help tells of each command. The guides: docs/self-hosting.md, docs/troubleshooting.md."
    )
    return 0


MENU: tuple[tuple[str, str, Callable[[Manner], int] | None], ...] = (
    ("initial", "Initial setup", None),
    ("backups", "Backups", _backups),
    ("updates", "Automatic updates", _updates),
    ("certificates", "Renew certificates", _certificates),
    ("restore", "Restore", _restore),
    ("status", "Status and doctor", _status),
    ("help", "Help/Exit", _help),
)
NAMES = tuple(name for name, _, _ in MENU)


def _choose() -> str:
    if not sys.stdin.isatty():
        fail(f"mailstead setup needs a terminal, or one of: {', '.join(NAMES)}", code=2)
    for number, (_, title, _) in enumerate(MENU, 1):
        typer.echo(f"  {number}  {title}")
    chosen: int = typer.prompt("Choose", type=click.IntRange(1, len(MENU)))
    return NAMES[chosen - 1]


def setup(
    item: Annotated[str, typer.Argument(help=f"{', '.join(NAMES)}; a menu when none is named.")] = "",
    domain: Annotated[str, typer.Option(help="The domain that mail is for.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    publishing: Annotated[
        bool, typer.Option("--publish", help="Publish the DNS records through MAILSTEAD_DNS_PUBLISH_URL.")
    ] = False,
    mailbox: Annotated[
        str, typer.Option(metavar="ADDRESS", help="With restore: the mailbox whose lost mail comes back.")
    ] = "",
    replace: Annotated[bool, typer.Option("--replace", help="With --publish: replace what stands in the way.")] = False,
    json: Json = False,
) -> None:
    """Set up a domain with all that belongs to it, and take care of the installation, by a menu."""
    chosen = item or _choose()
    for name, _, work in MENU:
        if name == chosen and work is not None:
            raise typer.Exit(work(Manner(yes, dry_run, mailbox)))
        if name == chosen:
            initial(domain, yes=yes, dry_run=dry_run, publishing=publishing, replace=replace, json=json)
            return
    fail(f"no item {chosen}; there are: {', '.join(NAMES)}", code=2)
