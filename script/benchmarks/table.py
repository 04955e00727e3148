"""What a case finds: rows of figures, and targets they are held against."""

import statistics

import msgspec

OWN = "Mailstead"


class Target(msgspec.Struct, frozen=True):
    """The ratio of a row is at most (or at least) `limit`; with `is_absolute` the figure itself is."""

    limit: float
    at_least: bool = False
    is_absolute: bool = False


class Row(msgspec.Struct, frozen=True):
    """One thing measured: each contestant's figure of each round. Without `higher_is_better`, less is better.

    The ratio is the median of `of` over the best median among `to` (all others when empty).
    """

    label: str
    unit: str
    figures: dict[str, list[float]]
    target: Target | None = None
    higher_is_better: bool = False
    of: str = OWN
    to: tuple[str, ...] = ()

    def median(self, name: str) -> float:
        """The median of a contestant's rounds."""
        return statistics.median(self.figures[name])

    @property
    def ratio(self) -> float | None:
        """None when there is nothing beside it."""
        others = [self.median(name) for name in self.to or self.figures if name in self.figures and name != self.of]
        if not others:
            return None
        best = max(others) if self.higher_is_better else min(others)
        return self.median(self.of) / best if best else None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without a target, or without what it is relative to."""
        if self.target is None:
            return None
        reached = self.median(self.of) if self.target.is_absolute else self.ratio
        if reached is None:
            return None
        return reached >= self.target.limit if self.target.at_least else reached <= self.target.limit

    @property
    def target_text(self) -> str:
        """The target in a few characters."""
        if self.target is None:
            return ""
        sign = "≥" if self.target.at_least else "≤"
        return f"{sign} {self.target.limit:g} {self.unit if self.target.is_absolute else 'x'}"


class Table(msgspec.Struct, frozen=True):
    """The rows of one case, what they mean, and what has to be known to judge them."""

    title: str
    rows: list[Row]
    notes: list[str] = []

    @property
    def columns(self) -> list[str]:
        """The contestants, in the order they first appear."""
        return list(dict.fromkeys(name for row in self.rows for name in row.figures))


def number(value: float) -> str:
    """A figure as people read it: three digits, thousands apart."""
    if value == 0:
        return "0"
    for limit, places in ((0.1, 3), (1, 2), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{places}f}"
    return f"{value:,.0f}"
