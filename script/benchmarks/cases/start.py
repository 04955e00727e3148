"""From the command to all services accepting."""

import time

from benchmarks.case import Context
from benchmarks.own import Own
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target


def run(context: Context) -> Table:
    """Start on a folder that is set up already, again and again."""
    own = Own(context.folder)
    own.add_accounts(["alice"])

    def measure() -> float:
        started = time.perf_counter()
        own.start()
        seconds = time.perf_counter() - started
        own.server.stop()
        return seconds

    row = Row(
        "start to ready, after set-up", "s", in_turn(context.size.rounds, {OWN: measure}), Target(2.0, is_absolute=True)
    )
    return Table("Start", [row], ["From starting the process to ready.json, seen within 20 ms."])
