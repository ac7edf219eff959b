"""Start-up: every function beside a bare handler that makes one boto3 DynamoDB client.

The machine is shared and its speed drifts, so each start of a function is divided by the mean of the bare starts
just before and just after it, and the median of those ratios counts. It is taken of CPU time, which other
programs disturb less than wall time; both are shown.

CPython keeps its call stack in chunks of 16 KB. A loop that happens to run where one chunk ends takes and gives
back memory with every call, which adds up to a tenth to a start, in a bare handler as in ours, depending on
nothing but how deep the import happens to be. Each round therefore imports at another depth, the same for all.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench import artifacts, runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(__file__).with_name("start_up.py")
BARE = Path(__file__).with_name("bare")

BOUND = 1.6
BOUNDS = {"AuthorizerFunction": 1.15, "RedeemFunction": 1.15}
"""Design, section 7: what a start may take at most, as a multiple of the bare handler's."""

_DEPTHS = 170
"""Calls of a small function that fill one chunk of the stack."""
_STRIDE = 37
"""Coprime to `_DEPTHS`: a few rounds already spread over all depths."""


class Start(NamedTuple):
    """What one start took, in milliseconds; or a ratio of two."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class ColdStart:
    """A function's start-up, the median of several.

    Attributes
    ----------
    cpu, wall
        Milliseconds.
    cpu_ratio, wall_ratio
        Multiples of the bare handler's.
    bound
        What ``cpu_ratio`` may be at most.
    """

    function: str
    cpu: float
    wall: float
    cpu_ratio: float
    wall_ratio: float
    bound: float

    @property
    def is_within(self) -> bool:
        """Whether the bound is met."""
        return self.cpu_ratio <= self.bound


def measure(functions: Sequence[str], repeats: int) -> tuple[Start, list[ColdStart]]:
    """Measure the starts of functions.

    Parameters
    ----------
    functions
        Logical ids.
    repeats
        Fresh processes of each.

    Returns
    -------
    tuple
        The bare handler's median, and each function's results.
    """
    bare: list[Start] = []
    starts: dict[str, list[Start]] = {name: [] for name in functions}
    ratios: dict[str, list[Start]] = {name: [] for name in functions}
    for round_number in range(repeats):
        print(f"  round {round_number + 1} of {repeats}", flush=True)
        depth = round_number * _STRIDE % _DEPTHS
        before = _start(depth, BARE)
        bare.append(before)
        for name in functions:
            start, after = _start(depth, artifacts.TASKS / name, artifacts.PACKAGES), _start(depth, BARE)
            bare.append(after)
            starts[name].append(start)
            ratios[name].append(
                Start(2 * start.cpu / (before.cpu + after.cpu), 2 * start.wall / (before.wall + after.wall))
            )
            before = after
    return _median(bare), [_result(name, _median(starts[name]), _median(ratios[name])) for name in functions]


def _start(depth: int, *search_path: Path) -> Start:
    printed = runtime.run(SCRIPT, depth, *search_path, environment=runtime.variables())
    cpu, wall = (float(seconds) * 1_000 for seconds in printed.split())
    return Start(cpu, wall)


def _median(starts: Sequence[Start]) -> Start:
    return Start(statistics.median(s.cpu for s in starts), statistics.median(s.wall for s in starts))


def _result(name: str, start: Start, ratio: Start) -> ColdStart:
    bound = BOUNDS.get(name, BOUND)
    return ColdStart(name, start.cpu, start.wall, ratio.cpu, ratio.wall, bound)
