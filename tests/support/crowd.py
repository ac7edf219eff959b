"""Many at once, on a machine of two cores: a function's processes are started a few at a time, before the race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STARTS_AT_ONCE = 4
"""Processes that start at the same time: two cores that start dozens let the SDK's calls run into its two seconds."""


def start_gently(ask: Callable[[int], object], count: int) -> None:
    """Let about as many processes of a function run as there will be requests at once.

    Parameters
    ----------
    ask
        Makes a harmless request that the function answers; the emulator starts a
        process for each that finds no other one idle.
    """
    with ThreadPoolExecutor(count) as pool:
        for size in (*range(STARTS_AT_ONCE, count, STARTS_AT_ONCE), count):
            list(pool.map(ask, range(size)))
