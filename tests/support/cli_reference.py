"""docs/cli.md, made from the commands themselves; `python tests/support/cli_reference.py` writes it."""

from collections.abc import Iterator
from pathlib import Path

import click
from typer.main import get_command

from mailstead.cli.application import application

ROOT = Path(__file__).parents[2]
_HEAD = """# Commands

`mailstead` is `.venv/bin/mailstead` after `script/server`, and the command of the image. Exit codes: 0 done, 1 failed, 2 usage
(bad arguments or settings). `--json` prints JSON; without it there are tables on a terminal and columns separated by tabs
in a pipe. `mailstead --install-completion` makes the shell complete commands. This page is made from the code by `script/docs`.
"""


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, found in inner.items():
        yield from _commands(f"{name} {word}", found)


def _rows(command: click.Command) -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        if parameter.name == "json" or getattr(parameter, "hidden", False):
            continue
        help_text = " ".join((getattr(parameter, "help", None) or "").split())
        if isinstance(parameter, click.Argument):
            if help_text:
                yield f"`{parameter.human_readable_name}`", help_text
            continue
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        default = parameter.default
        if default in (None, "", False, ()) or callable(default) or getattr(parameter, "is_flag", False):
            yield names, help_text
        else:
            yield names, f"{help_text} Default: `{default}`."


def command_reference() -> str:
    """The text of docs/cli.md."""
    lines = [_HEAD]
    noun = ""
    for name, command in _commands("mailstead", get_command(application)):
        words = name.split()
        if words[1] != noun:
            noun = words[1]
            lines += [f"## {noun}", ""]
        context = click.Context(command, info_name=name)
        usage = " ".join(command.collect_usage_pieces(context)).removeprefix("[OPTIONS]").strip()
        takes_json = any(parameter.name == "json" for parameter in command.params)
        lines += [f"### `{name}{' ' + usage if usage else ''}{' [--json]' if takes_json else ''}`", ""]
        lines += [" ".join((command.help or "").split()), ""]
        rows = list(_rows(command))
        if rows:
            lines += ["| option | what it does |", "|---|---|"]
            lines += [f"| {names} | {text} |" for names, text in rows]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    (ROOT / "docs/cli.md").write_text(command_reference(), "utf-8")
