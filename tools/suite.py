"""Every test, in two lanes side by side: one for each of a build machine's two cores.

What a run in the first lane says is the terminal's; the second lane's follows when it is
over, so that neither is mixed into the other.  Each lane has a stack of its own.  At the
end the policies are judged by what the functions of both stacks have asked for.  With
arguments of one's own there is one run, of those.

Usage: python -m tools.suite [pytest's arguments]
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from tools.local import paths
from tools.local.console import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import IO

LAST = "tests/stack/test_last.py"
JUDGE = f"{LAST}::test_what_the_functions_ask_for_is_what_their_policies_grant"

_PYTEST = (sys.executable, "-m", "pytest")
_HEARTBEAT = 10.0
"""Seconds between signs of life while the second lane is waited for."""


def run(arguments: list[str]) -> int:
    """Run the tests and return the status: 0 when all of them passed."""
    if arguments:
        return _pytest(*arguments)
    paths.LOCAL.mkdir(exist_ok=True)
    calls = [paths.LOCAL / f"calls-{number}.json" for number in (1, 2)]
    for path in calls:
        path.unlink(missing_ok=True)
    # What runs on a stack leaves secrets behind there: the last tests look for them in each lane.
    shown = [
        ("tests/browser", LAST, "--deselect", JUDGE, "--note-calls", str(calls[0])),
        ("tests/unit", "tests/template"),
    ]
    beside = [("tests/contract", "tests/stack", "--deselect", JUDGE, "--note-calls", str(calls[1]))]
    statuses = _in_two_lanes(shown, beside)
    if not all(path.exists() for path in calls):
        return max(1, *statuses)  # a session that did not get as far as its end
    say(f"\n== {JUDGE}")
    return max(_pytest(JUDGE, *(word for path in calls for word in ("--noted-calls", str(path)))), *statuses)


def _in_two_lanes(shown: Sequence[Sequence[str]], beside: Sequence[Sequence[str]]) -> list[int]:
    log = paths.LOCAL / "beside.log"
    say(f"{_names(beside)}: beside the others; what they say is in {log.relative_to(paths.ROOT)}, and follows below")
    with log.open("wb") as sink:
        lane = _Lane(beside, sink)
        lane.start()
        try:
            statuses = [_pytest(*words) for words in shown]
            _wait(lane, log)
        finally:
            lane.end()
    say(f"\n== {_names(beside)}")
    print(log.read_text(errors="replace"), flush=True)
    return statuses + lane.statuses


class _Lane(threading.Thread):
    """Runs that follow each other, in the background.

    Attributes
    ----------
    statuses
        Of the runs that are over.
    """

    def __init__(self, runs: Sequence[Sequence[str]], sink: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.statuses: list[int] = []
        self._runs = runs
        self._sink = sink
        self._process: subprocess.Popen[bytes] | None = None
        self._has_ended = False

    def run(self) -> None:
        """Make one run after the other."""
        for words in self._runs:
            if self._has_ended:
                return
            self._process = subprocess.Popen([*_PYTEST, *words], stdout=self._sink, stderr=subprocess.STDOUT)  # noqa: S603 - ours
            self.statuses.append(self._process.wait())

    def end(self) -> None:
        """Stop what still runs; nothing does when all went well."""
        self._has_ended = True
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self.join()


def _pytest(*words: str) -> int:
    return subprocess.run([*_PYTEST, *words], check=False).returncode  # noqa: S603 - ours


def _names(runs: Sequence[Sequence[str]]) -> str:
    return ", ".join(word for words in runs for word in words if word.startswith("tests/") and "::" not in word)


def _wait(lane: _Lane, log: Path) -> None:
    while lane.is_alive():
        lane.join(_HEARTBEAT)
        if lane.is_alive():
            lines = log.read_text(errors="replace").splitlines() or [""]
            say(f"{time.strftime('%H:%M:%S')}: still at it: {lines[-1][-12:].strip()}")


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
