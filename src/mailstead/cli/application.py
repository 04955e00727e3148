"""The `mailstead` command; nouns register themselves as sub-applications."""

import typer

application = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line."""
    application()
