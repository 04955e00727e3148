"""A resolver that answers from a table, at once and without a socket."""

from collections import Counter
from collections.abc import Mapping, Sequence

from mailstead.foundation.dns.answer import Answer, ResolutionError
from mailstead.foundation.dns.names import ascii_name

Zone = Mapping[str, Mapping[str, str | Sequence[str]]]
_CHAIN = 10


class ScriptedResolver:
    """Answers from `zone` (names to types to one or several records); names in `failing` are not answered.

    `authenticated` names are answered with AD; `queries` counts what was asked.
    """

    def __init__(self, zone: Zone, *, failing: Sequence[str] = (), authenticated: Sequence[str] = ()) -> None:
        self.zone = {name.lower(): types for name, types in zone.items()}
        self.failing = {name.lower() for name in failing}
        self.authenticated = {name.lower() for name in authenticated}
        self.queries: Counter[tuple[str, str]] = Counter()

    async def query(self, name: str, kind: str, *, spaces: bool = False) -> Answer:
        asked = ascii_name(name, spaces=spaces)
        self.queries[asked, kind] += 1
        trusted = asked in self.authenticated
        for _ in range(_CHAIN):
            types = self.zone.get(asked, {})
            if kind in types:
                found = types[kind]
                records = (found,) if isinstance(found, str) else tuple(found)
                return Answer("found" if records else "nodata", records, 300, trusted, asked)
            if asked in self.failing:
                raise ResolutionError(detail=f"{asked} {kind}: scripted to fail")
            if "CNAME" not in types:
                break
            alias = types["CNAME"]
            asked = (alias if isinstance(alias, str) else alias[0]).removesuffix(".").lower()
        else:
            raise ResolutionError(detail=f"{name}: the chain of aliases does not end")
        exists = asked in self.zone or any(known.endswith("." + asked) for known in self.zone)
        return Answer("nodata" if exists else "nxdomain", (), 60, trusted, asked)
