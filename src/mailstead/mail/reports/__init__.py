"""Reports about mail: results collected at arrival and on the way out, sent to those who ask, and others' reports taken.

`collector` counts in memory and keeps what it counted every few seconds; `journal` has it until then, so that a process
that is killed loses nothing.
`daily` sends yesterday's. `intake` takes what arrives at the reports' address, `received` keeps it, `complaints` acts.
"""
