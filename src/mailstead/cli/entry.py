"""Where the `mailstead` command begins.

`mailstead health` runs every half minute in every container. It is spared the import of all other commands, which takes
several times as long as the work itself.
"""

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["health"]:
        import typer  # noqa: PLC0415 see above

        from mailstead.cli.health import health  # noqa: PLC0415

        sys.argv[:2] = ["mailstead health"]
        typer.run(health)
    else:
        from mailstead.cli.application import main as run  # noqa: PLC0415

        run()
