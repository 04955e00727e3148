"""Run the command line as a module."""

from mailstead.cli.entry import main

main()
