"""Every test, in two runs side by side: what needs nothing running, and what needs a stack.

The second run's output is the terminal's; the first one's follows when it is over, so that
neither is mixed into the other.  With arguments of one's own there is one run, of those.

Usage: python -m tools.suite [pytest's arguments]
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tools.local import paths
from tools.local.console import say

if TYPE_CHECKING:
    from pathlib import Path

ALONE = ("tests/unit", "tests/template")
ON_A_STACK = ("tests/contract", "tests/browser", "tests/stack")

_HEARTBEAT = 10.0
"""Seconds between signs of life while the last of the two is waited for."""


def run(arguments: list[str]) -> int:
    """Run the tests and return the status: 0 when all of them passed."""
    if arguments:
        return subprocess.run([*_PYTEST, "tests", *arguments], check=False).returncode  # noqa: S603 - ours
    paths.LOCAL.mkdir(exist_ok=True)
    log = paths.LOCAL / "unit.log"
    say(f"{' '.join(ALONE)}: beside the others; what they say is in {log.relative_to(paths.ROOT)}, and follows below")
    with log.open("wb") as sink:
        alone = subprocess.Popen([*_PYTEST, *ALONE], stdout=sink, stderr=subprocess.STDOUT)  # noqa: S603 - ours
        try:
            status = subprocess.run([*_PYTEST, *ON_A_STACK], check=False).returncode  # noqa: S603 - ours
            _wait(alone, log)
        except BaseException:
            alone.terminate()
            alone.wait()
            raise
    say(f"\n== {' '.join(ALONE)}")
    print(log.read_text(errors="replace"), flush=True)
    return status or alone.returncode


_PYTEST = (sys.executable, "-m", "pytest")


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        try:
            process.wait(_HEARTBEAT)
        except subprocess.TimeoutExpired:
            lines = log.read_text(errors="replace").splitlines() or [""]
            say(f"{' '.join(ALONE)}: {lines[-1][-12:].strip()} at {time.strftime('%H:%M:%S')}")


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
