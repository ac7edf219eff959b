"""Many at once, on a machine of two cores: a function's processes are started a few at a time, before the race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STARTS_AT_ONCE = 4
"""Processes that start at the same time: two cores that start dozens let the SDK's calls run into its two seconds."""


def growing(count: int) -> tuple[int, ...]:
    """Return how many requests to make at once, time after time, until there are ``count`` processes."""
    return (*range(STARTS_AT_ONCE, count, STARTS_AT_ONCE), count)


def at_once[T, R](act: Callable[[T], R], each: Iterable[T], *, threads: int) -> list[R]:
    """Do the same with each of many, so many at the same time; give the answers in their order."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(act, each))


def start_gently(ask: Callable[[int], object], count: int) -> None:
    """Let about as many processes of a function run as there will be requests at once.

    Parameters
    ----------
    ask
        Makes a harmless request that the function answers; the emulator starts a
        process for each that finds no other one idle.
    """
    with ThreadPoolExecutor(count) as pool:
        for size in growing(count):
            list(pool.map(ask, range(size)))
