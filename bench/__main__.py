"""Measure what is built: `python -m bench`, as `make bench` does. Ends with status 1 when a bound does not hold."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from bench import artifacts, cold, prices, report, scene, warm
from bench.flows import FLOWS
from tests.support.template import template
from tools.local import LocalError, paths

OUTPUT = paths.LOCAL / "bench.json"


def main(
    repeats: Annotated[int, typer.Option(min=1, help="Fresh processes of each function, and of the bare one.")] = 9,
    rounds: Annotated[int, typer.Option(min=1, help=f"Rounds of {warm.BATCH} warm answers.")] = 15,
    function: Annotated[
        list[str] | None, typer.Option(help="Logical id to start up; repeatable. All by default.")
    ] = None,
    *,
    report_only: Annotated[bool, typer.Option(help="End with status 0 whatever was found.")] = False,
) -> None:
    """Measure start-up and warm answers, count calls and sizes, reckon prices."""
    results = _measure(repeats, rounds, function)
    print(f"\n{report.text(results)}\n")
    OUTPUT.write_text(json.dumps(report.document(results), indent=2) + "\n")
    print(f"Everything in figures: {OUTPUT.relative_to(paths.ROOT)}")
    broken = list(results.broken())
    for bound in broken:
        print(f"BROKEN: {bound}")
    if broken and not report_only:
        raise typer.Exit(1)


def _measure(repeats: int, rounds: int, functions: list[str] | None) -> report.Results:
    sizes = artifacts.build()
    built = artifacts.functions()
    if unknown := sorted({*(functions or ())} - {*built}):
        raise typer.BadParameter(f"{', '.join(unknown)}: the template's are {', '.join(built)}.")
    print("warm answers and budgets ...", flush=True)
    with scene.scene() as house:
        # A recording is answered from at once: a sign-in in it is not extended before a minute has passed.
        pairs = [(recording, warm.measure(recording, rounds)) for recording in map(house.record, FLOWS)]
    print("start-up ...", flush=True)
    bare, starts = cold.measure(functions or built, repeats)
    memory = int(template()["Globals"]["Function"]["MemorySize"])
    return report.Results(
        repeats=repeats,
        bare=bare,
        starts=starts,
        answers=[answer for _, answer in pairs],
        recordings=[recording for recording, _ in pairs],
        sizes=sizes,
        prices=[prices.price(recording, answer, memory) for recording, answer in pairs],
    )


if __name__ == "__main__":
    try:
        typer.run(main)
    except LocalError as error:
        sys.exit(f"error: {error}")
