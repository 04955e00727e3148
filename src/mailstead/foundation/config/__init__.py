"""Typed settings: each option once, with its default and a sentence.

`Settings` is a frozen struct of sections; an option's environment name is `MAILSTEAD_` + the section's prefix + the
field's name in capitals (`settings.imap.idle_timeout` is `MAILSTEAD_IMAP_IDLE_TIMEOUT`; the section `server` has no
prefix). `load_settings` reads the environment and `.env` and refuses unknown names and bad values in one line.
"""
