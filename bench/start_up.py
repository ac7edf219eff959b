"""Run by `bench.cold` in a fresh process: import one handler and print what that took, CPU and wall seconds.

Usage: start_up.py DEPTH TASK [PACKAGES]

It imports nothing itself that a handler could need, so that the handler pays for it.
"""

import sys
import time


def import_below(depth: int) -> None:
    """Import the handler's module ``depth`` calls further down the stack."""
    if depth:
        import_below(depth - 1)
    else:
        import app  # type: ignore[import-not-found]  # noqa: F401, PLC0415 - TASK's


depth, *search_path = sys.argv[1:]
sys.path[0:0] = search_path
wall, cpu = time.perf_counter(), time.process_time()
import_below(int(depth))
print(time.process_time() - cpu, time.perf_counter() - wall)
