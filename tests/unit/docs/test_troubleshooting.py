"""Every finding of the doctor has a section that tells more."""

import re
from pathlib import Path

from mailstead.administration.doctor.examine import CHECKS

PAGE = Path(__file__).parents[3] / "docs/troubleshooting.md"


def test_every_check_has_its_section_in_order() -> None:
    sections = re.findall("^## ([a-z-]+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sections == [check.name for check in CHECKS]
