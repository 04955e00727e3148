"""How much work a run does."""

import msgspec


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts; names are those of the cases' rows."""

    name: str
    rounds: int
    mailbox: int  # messages of the mailbox that is read
    stored: int  # messages of the one STORE
    singles: int  # single FETCHes
    single_stores: int
    appended: int
    received: int  # messages of one round over SMTP
    soaked: int  # messages of the long run over SMTP
    sessions: int  # SMTP connections at once
    connections: int  # idle IMAP connections
    accounts: int  # that those are spread over
    growth: tuple[int, ...]  # mailbox sizes
    operations: int  # of one round at each mailbox size
    queued: int
    drained: int
    events: int  # of the calendar that is listed and synchronised
    month_events: int  # of the calendar that a month is asked of
    puts: int
    lessons: int  # junk messages learned, and as many judged; of good ones up to twice as many
    disk: int  # generated messages where the archive is not at hand


FULL = Size(
    name="full",
    rounds=5,
    mailbox=20_000,
    stored=1000,
    singles=500,
    single_stores=200,
    appended=1000,
    received=2000,
    soaked=100_000,
    sessions=20,
    connections=500,
    accounts=50,
    growth=(1000, 10_000, 100_000),
    operations=50,
    queued=100_000,
    drained=5000,
    events=5000,
    month_events=20_000,
    puts=200,
    lessons=1000,
    disk=5000,
)
QUICK = Size(
    name="quick",
    rounds=3,
    mailbox=3000,
    stored=500,
    singles=200,
    single_stores=100,
    appended=200,
    received=500,
    soaked=5000,
    sessions=20,
    connections=100,
    accounts=10,
    growth=(500, 5000),
    operations=30,
    queued=5000,
    drained=1000,
    events=1000,
    month_events=4000,
    puts=50,
    lessons=300,
    disk=1000,
)
TINY = Size(
    name="tiny",
    rounds=1,
    mailbox=30,
    stored=10,
    singles=5,
    single_stores=5,
    appended=5,
    received=10,
    soaked=20,
    sessions=2,
    connections=4,
    accounts=2,
    growth=(10, 20),
    operations=2,
    queued=20,
    drained=10,
    events=20,
    month_events=40,
    puts=5,
    lessons=60,
    disk=20,
)
SIZES = {size.name: size for size in (FULL, QUICK, TINY)}
