"""Print the product's requirements that no test names.

A test names what it shows by `@pytest.mark.req("L01", "P02")`; the ids stand in docs/requirements.md. Those that
wait for later work are marked there, and listed apart as long as no test names them.

Usage: python -m tools.requirements
"""

import ast
import re
import sys
from pathlib import Path

from tools.local.paths import ROOT

LIST = ROOT / "docs" / "requirements.md"
TESTS = ROOT / "tests"
# A section's letter and two digits (or a range: D01 to D04), opening a list item or a sentence inside one.
REQUIREMENT = re.compile(
    r"(?:^- |(?<=\. ))(?P<section>[A-Z])(?P<first>\d\d)(?: to [A-Z](?P<last>\d\d))? (?P<text>.+?)(?=\. [A-Z]\d\d |$)",
    re.MULTILINE,
)
LATER = "(later) "
SHOWN_CHARACTERS = 100


def listed(text: str) -> dict[str, str]:
    """Give each requirement's text by its id, in the order of the page."""
    return {
        f"{found['section']}{number:02}": found["text"]
        for found in REQUIREMENT.finditer(text)
        for number in range(int(found["first"]), int(found["last"] or found["first"]) + 1)
    }


def named(source: str) -> set[str]:
    """Give the ids that one test module's `req` markers name, wherever they stand."""
    return {
        argument.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "req"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def main(page: Path = LIST, tests: Path = TESTS) -> str | int:
    """Print the ids without a test; return what `sys.exit` takes: 0, or the ids that no requirement has."""
    requirements = listed(page.read_text())
    shown = {one for path in sorted(tests.rglob("*.py")) for one in named(path.read_text())}
    later = [one for one in requirements if requirements[one].startswith(LATER) and one not in shown]
    missing = [one for one in requirements if one not in shown and one not in later]
    for one in missing:
        print(f"{one}  {requirements[one][:SHOWN_CHARACTERS]}")
    due = len(requirements) - len(later)
    print(f"{due - len(missing)} of {due} requirements are named by a test")
    if later:
        print(f"for later: {' '.join(later)}")
    unknown = sorted(shown - requirements.keys())
    return f"named by a test, but not in {page.name}: {', '.join(unknown)}" if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
