"""Ratios, targets and what is written of them."""

from pathlib import Path

import pytest

from benchmarks.report import Result, document, keep, kept
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target, number


def _row(**changes: object) -> Row:
    known = {
        "label": "work",
        "unit": "ms",
        "figures": {OWN: [8.0, 2.0, 4.0], "A": [9.0, 8.0, 7.0], "B": [5.0, 5.0, 5.0]},
    }
    return Row(**(known | changes))  # type: ignore[arg-type]


def test_ratio_is_of_medians_against_the_best() -> None:
    assert _row().ratio == pytest.approx(4 / 5)
    assert _row(higher_is_better=True).ratio == pytest.approx(4 / 8)
    assert _row(to=("A",)).ratio == pytest.approx(4 / 8)
    assert _row(of="A", to=("B",)).ratio == pytest.approx(8 / 5)
    assert _row(figures={OWN: [4.0]}).ratio is None


@pytest.mark.parametrize(
    ("target", "met", "text"),
    [
        (None, None, ""),
        (Target(0.8), True, "≤ 0.8 x"),
        (Target(0.7), False, "≤ 0.7 x"),
        (Target(0.8, at_least=True), True, "≥ 0.8 x"),
        (Target(0.9, at_least=True), False, "≥ 0.9 x"),
        (Target(4, is_absolute=True), True, "≤ 4 ms"),
        (Target(3.9, is_absolute=True), False, "≤ 3.9 ms"),
    ],
)
def test_target_is_held_against_the_median(target: Target | None, met: bool | None, text: str) -> None:
    row = _row(target=target)
    assert (row.is_met, row.target_text) == (met, text)


def test_target_without_a_peer_is_neither_met_nor_missed() -> None:
    assert _row(figures={OWN: [4.0]}, target=Target(1.0)).is_met is None


def test_rounds_alternate_after_one_that_is_not_counted() -> None:
    order: list[str] = []

    def contestant(name: str) -> float:
        order.append(name)
        return float(len(order))

    figures = in_turn(2, {"a": lambda: contestant("a"), "b": lambda: contestant("b")})
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert figures == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.012"), (0.123, "0.12"), (1.234, "1.23"), (12.34, "12.3"), (12345.6, "12,346")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_document_says_what_was_found() -> None:
    table = Table("Work", [_row(target=Target(0.7))], ["A note."])
    written = document([Result("work", "full", 3, ("2 processors", "measured today"), table)])
    assert (
        "| work | 4.00 (2.00 to 8.00) | 8.00 (7.00 to 9.00) | 5.00 (5.00 to 5.00) | ms | 0.80 x | ≤ 0.7 x | not met |"
        in written
    )
    assert "A note." in written
    assert "On 2 processors; measured today." in written


def test_latest_result_of_a_case_is_kept(tmp_path: Path) -> None:
    first = Result("work", "full", 3, ("machine",), Table("Work", [_row()]))
    latest = Result("work", "full", 5, ("machine",), Table("Work", [_row(target=Target(2.0))]))
    keep(tmp_path, first)
    keep(tmp_path, latest)
    assert kept(tmp_path, "full", ["other", "work"]) == [latest]
    assert kept(tmp_path, "quick", ["work"]) == []
