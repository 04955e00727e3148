"""The README's protocol table; `python tests/support/standards_table.py` writes it into README.md."""

import re
import tomllib
from pathlib import Path


def protocol_table(standards: Path) -> str:
    with standards.open("rb") as file:
        listed = tomllib.load(file)["rfc"]
    lines = ["| area | spoken | in part |", "|---|---|---|"]
    areas: dict[str, tuple[list[int], list[int]]] = {}
    for number, entry in listed.items():
        if entry["status"] == "no":
            continue
        complete, partial = areas.setdefault(entry["area"], ([], []))
        (complete if entry["status"] == "yes" else partial).append(int(number))
    for area, (complete, partial) in sorted(areas.items()):
        spoken, in_part = (", ".join(map(str, sorted(numbers))) or "-" for numbers in (complete, partial))
        lines.append(f"| {area} | {spoken} | {in_part} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    root = Path(__file__).parents[2]
    readme = root / "README.md"
    table = protocol_table(root / "docs/standards.toml")
    pattern = re.compile(r"(<!-- standards -->\n).*(<!-- /standards -->)", re.DOTALL)
    readme.write_text(pattern.sub(lambda found: found[1] + table + found[2], readme.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
