"""Contestants measured in turn."""

from collections.abc import Callable, Mapping


def in_turn(rounds: int, contestants: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Each contestant's figure of each round, A B A B; a first round is done and not counted."""
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, measure in contestants.items():
            value = measure()
            if number > 0:
                figures[name].append(value)
    return figures
