"""Run the command line as a module."""

from mailstead.cli.application import main

main()
