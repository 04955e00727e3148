"""`mailstead config`: what is set, what can be set, and whether it is allowed."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mailstead.cli.output import Json, emit_done, emit_table, fail
from mailstead.foundation.config.document import configuration_markdown, env_example, shown, written
from mailstead.foundation.config.load import SettingsError, load_settings, options
from mailstead.foundation.config.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Show, document and check the settings.")

ENV_FILE = Path(".env")


def current_settings() -> Settings:
    """Settings of this call from the environment and `.env`; leaves with one line and code 2 when they are bad."""
    try:
        return load_settings(os.environ, ENV_FILE)
    except SettingsError as error:
        fail(str(error), code=2)


@app.command()
def show(
    json: Json = False, changed: Annotated[bool, typer.Option(help="Only what differs from the default.")] = False
) -> None:
    """Print every setting with its value; secrets are not printed."""
    settings = current_settings()
    rows = []
    for option, value in shown(settings):
        if changed and getattr(getattr(settings, option.section), option.name) == option.default:
            continue
        rows.append({"name": option.environment, "value": value, "default": written(option, option.default)})
    emit_table(rows, ("name", "value", "default"), json=json)


@app.command()
def doc(
    json: Json = False, env: Annotated[bool, typer.Option("--env", help="Print .env.example instead.")] = False
) -> None:
    """Print the documentation of all settings as Markdown."""
    if json:
        rows = [
            {
                "name": option.environment,
                "default": written(option, option.default),
                "allowed": option.allowed,
                "sentence": option.sentence,
            }
            for option in options()
        ]
        emit_table(rows, ("name", "default", "allowed", "sentence"), json=True)
    else:
        typer.echo(env_example() if env else configuration_markdown(), nl=False)


@app.command()
def check(json: Json = False) -> None:
    """Check the environment and `.env`; exit 2 and one line when something is not allowed."""
    current_settings()
    emit_done("The settings are fine", json=json, record={"ok": True})
