"""`mailstead reports`: what others say of our mail."""

from typing import Annotated, Any, Literal

import msgspec
import typer

from mailstead.administration import reports
from mailstead.administration.actor import COMMAND_LINE
from mailstead.cli.output import Json, emit_done, emit_json, emit_record, emit_table
from mailstead.cli.stores import with_stores
from mailstead.mail.reports.received import ReceivedReport
from mailstead.services.hostname import host_name
from mailstead.services.reports import daily_reports
from mailstead.services.stores import Stores

app = typer.Typer(no_args_is_help=True, help="DMARC, TLS and abuse reports of others about our mail.")
_COLUMNS = ("id", "kind", "domain", "submitter", "count", "failed", "at")


def _row(one: ReceivedReport) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(one)
    return row


@app.command("list")
def list_all(
    domain: Annotated[str | None, typer.Option(help="Only reports about this domain.")] = None,
    kind: Annotated[Literal["dmarc", "tls", "feedback"] | None, typer.Option(help="Only of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """List received reports, the newest first."""
    found = with_stores(
        lambda stores: reports.list_reports(stores.administration, COMMAND_LINE, domain=domain, kind=kind, limit=limit)
    )
    emit_table([_row(one) for one in found], _COLUMNS, json=json, empty="No report was received")


@app.command("show")
def show(report_id: Annotated[str, typer.Argument(metavar="ID")], json: Json = False) -> None:
    """Show one report with all it says."""
    described, report = with_stores(lambda stores: reports.show_report(stores.administration, COMMAND_LINE, report_id))
    content: Any = None if report is None else msgspec.to_builtins(report, builtin_types=(bytes,))
    if isinstance(content, dict) and "original_header" in content:
        content["original_header"] = content["original_header"].decode("utf-8", "replace")
    if json:
        emit_json(_row(described) | {"report": content})
        return
    emit_record(_row(described), json=False)
    emit_json(content)


@app.command("summary")
def summary(
    domain: str,
    days: Annotated[float, typer.Option(min=0.01, help="Of so many days.")] = 7.0,
    json: Json = False,
) -> None:
    """Sum up who sent in a domain's name, what receivers did with it, and how TLS with our servers went."""
    found = with_stores(lambda stores: reports.summarize_reports(stores.administration, COMMAND_LINE, domain, days))
    if json:
        emit_json(msgspec.to_builtins(found))
        return
    row = msgspec.to_builtins(found)
    sources, failures = row.pop("sources"), row.pop("failures")
    row["days"] = str(days)
    emit_record(row, json=False)
    emit_table(sources, ("address", "messages", "dkim_passed", "spf_passed", "refused"), json=False, empty="No senders")
    emit_table(failures, ("result", "server", "sessions"), json=False, empty="No TLS failures")


@app.command("send")
def send(json: Json = False) -> None:
    """Send the reports of days that are over now, rather than when the scheduler does."""

    async def work(stores: Stores) -> tuple[int, int]:
        sent = await daily_reports(stores, host_name(stores.settings)).send()
        return sent.reports, sent.put_off

    count, put_off = with_stores(work)
    emit_done(f"{count} reports sent, {put_off} put off", json=json, record={"sent": count, "put_off": put_off})
