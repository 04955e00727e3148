"""The command line of `script/bench`."""

import argparse
import tempfile
from pathlib import Path

import msgspec
from rich.console import Console

from benchmarks.case import Context
from benchmarks.cases.registry import CASES
from benchmarks.machine import machine
from benchmarks.peers.install import install_peers, peers_missing
from benchmarks.report import Result, document, keep, kept, print_table
from benchmarks.size import SIZES, Size
from support.corpus import CORPUS

_REPOSITORY = Path(__file__).parents[2]
_KEPT = _REPOSITORY / ".cache" / "benchmarks"
_DOCUMENT = _REPOSITORY / "docs" / "benchmarks.md"
_LARGEST = 1_000_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Measure Mailstead beside its peers and print ratios. A run at full size rewrites docs/benchmarks.md.",
        epilog="Cases: " + "; ".join(f"{case.name}: {case.purpose}" for case in CASES) + ".",
    )
    parser.add_argument("case", nargs="*", metavar="CASE", help="what to measure (all when none)")
    parser.add_argument(
        "--quick", action="store_const", const="quick", dest="size", help="small amounts, for a first look"
    )
    parser.add_argument(
        "--tiny", action="store_const", const="tiny", dest="size", help="tries every case, measures nothing"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each contestant")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--million", action="store_true", help="growth: up to a million messages, which takes long")
    parser.add_argument("--archive", type=Path, help="disk: a tar file of real messages, one a file")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="where the servers' folders are made")
    parser.add_argument("--results", type=Path, default=_KEPT, help="where the latest results are kept")
    parser.set_defaults(size="full")
    arguments = parser.parse_args()
    known = {case.name for case in CASES}
    if unknown := set(arguments.case) - known:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}")
    return arguments


def _size(arguments: argparse.Namespace) -> Size:
    size = SIZES[arguments.size]
    if arguments.rounds:
        size = msgspec.structs.replace(size, rounds=arguments.rounds)
    if arguments.million:
        size = msgspec.structs.replace(size, growth=(*size.growth, _LARGEST))
    return size


def main() -> None:
    """Run the cases, print their tables, keep their results, write the document."""
    arguments = _arguments()
    console = Console()
    complaints = Console(stderr=True)
    if not arguments.alone and arguments.size != "tiny":
        install_peers()
    missing = "left out" if arguments.alone else peers_missing()
    if missing:
        complaints.print(f"Without peers: {missing}")
    archive = arguments.archive or CORPUS / "spamassassin-public.tar.xz"
    size = _size(arguments)
    for case in CASES:
        if arguments.case and case.name not in arguments.case:
            continue
        complaints.print(f"{case.name}: {case.purpose} ...")
        with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as name:
            folder = Path(name)
            folder.chmod(0o755)  # the peers' processes give up root
            table = case.run(Context(size, folder, not missing, archive if archive.exists() else None))
        print_table(table, console)
        result = Result(case.name, size.name, size.rounds, tuple(machine()), table)
        keep(arguments.results, result)
    if size.name == "full" and not missing:
        _DOCUMENT.write_text(document(kept(arguments.results, "full", [case.name for case in CASES])), "utf-8")
        complaints.print(f"Written: {_DOCUMENT.relative_to(_REPOSITORY)}")


if __name__ == "__main__":
    main()
