"""Every test, in four lanes side by side: a build machine's two cores are kept busy.

Browsers and functions wait for one another, so that the three lanes with a stack of their
own leave a core idle every now and then; two processes run the unit tests in what they leave.
What the first lane says is the terminal's; the others' follows when they are over, so that
none is mixed into another.  At the end the policies are judged by what the functions of all
stacks have asked for.  With arguments of one's own there is one run, of those.

Usage: python -m tools.suite [pytest's arguments]
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tools.local import paths
from tools.local.console import say

if TYPE_CHECKING:
    from collections.abc import Sequence

LAST = "tests/stack/test_last.py"
EVENTS = "tests/stack/test_events.py"
ON_STACKS = (("tests/browser",), ("tests/stack", f"--ignore={EVENTS}"), ("tests/contract", EVENTS))
"""The lanes with a stack of their own, of about the same length; the first one is shown."""
ON_NONE = ("tests/unit", "tests/template")
SPREAD = ("-n", "2", "--dist", "loadfile")
"""How tests that need nothing running are handed to two processes (pytest-xdist), a file to one of them."""
JUDGE = f"{LAST}::test_what_the_functions_ask_for_is_what_their_policies_grant"

_PYTEST = (sys.executable, "-m", "pytest")
_HEARTBEAT = 10.0
"""Seconds between signs of life while another lane is waited for."""
_YIELDING = 10
"""Niceness of what runs in the time that others leave."""


def run(arguments: list[str]) -> int:
    """Run the tests and return the status: 0 when all of them passed."""
    if arguments:
        return _pytest(*arguments)
    paths.LOCAL.mkdir(exist_ok=True)
    calls = [paths.LOCAL / f"calls-{number}.json" for number in range(1, len(ON_STACKS) + 1)]
    for path in calls:
        path.unlink(missing_ok=True)
    # What runs on a stack leaves secrets behind there: the last tests look for them in each lane.
    shown, *beside = [
        (*tests, LAST, "--deselect", JUDGE, "--note-calls", str(path))
        for tests, path in zip(ON_STACKS, calls, strict=True)
    ]
    statuses = _side_by_side(shown, [*map(_Lane, beside), _Lane((*ON_NONE, *SPREAD), niceness=_YIELDING)])
    if not all(path.exists() for path in calls):
        return max(1, *statuses)  # a session that did not get as far as its end
    say(f"\n== {JUDGE}")
    return max(_pytest(JUDGE, *(word for path in calls for word in ("--noted-calls", str(path)))), *statuses)


def _side_by_side(shown: Sequence[str], lanes: Sequence[_Lane]) -> list[int]:
    try:
        for lane in lanes:
            lane.start()
        statuses = [_pytest(*shown)]
        for lane in lanes:
            lane.wait()
            say(f"\n== {lane.name}")
            print(lane.said(), flush=True)
            statuses.append(lane.status)
    finally:
        for lane in lanes:
            lane.end()
    return statuses


class _Lane:
    """A run of pytest in the background, whose output is kept for later.

    Parameters
    ----------
    words
        Arguments for pytest.
    niceness
        How far the run stands back for others, 0 to 19.
    """

    def __init__(self, words: Sequence[str], *, niceness: int = 0) -> None:
        self.name = ", ".join(word for word in words if word.startswith("tests/") and "::" not in word and word != LAST)
        self._words = words
        self._niceness = niceness
        self._log = paths.LOCAL / f"{words[0].replace('/', '-')}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, and say where it can be followed."""
        say(f"{self.name}: beside the others, followed in {self._log.relative_to(paths.ROOT)}, told below")
        with self._log.open("wb") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - ours
                ["nice", "-n", str(self._niceness), *_PYTEST, *self._words],  # noqa: S607 - POSIX
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    @property
    def status(self) -> int:
        """The run's status: 0 when all tests passed."""
        return self._running.wait()

    def said(self) -> str:
        """Return what the run has said so far."""
        return self._log.read_text(errors="replace")

    def wait(self) -> None:
        """Wait until the run is over, with a sign of life now and then."""
        while self._running.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self._running.wait(_HEARTBEAT)
            lines = self.said().splitlines() or [""]
            say(f"{time.strftime('%H:%M:%S')}: {self.name}: {lines[-1][-12:].strip()}")

    def end(self) -> None:
        """Stop what still runs; nothing does when all went well."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the lane was not started")
        return self._process


def _pytest(*words: str) -> int:
    return subprocess.run([*_PYTEST, *words], check=False).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
