"""The run's results as tables for a person and as one JSON document for a program."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench import prices
from bench.flows import ONE_LOGIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.artifacts import Size
    from bench.cold import ColdStart, Start
    from bench.prices import Price
    from bench.scene import Recording
    from bench.warm import WarmAnswer

PEERS = "Peers: none is measured yet."


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one run measured, counted and reckoned."""

    repeats: int
    bare: Start
    starts: Sequence[ColdStart]
    answers: Sequence[WarmAnswer]
    recordings: Sequence[Recording]
    sizes: Sequence[Size]
    prices: Sequence[Price]

    def broken(self) -> Iterator[str]:
        """Yield each bound that does not hold, in words."""
        for start in self.starts:
            if not start.is_within:
                yield f"start-up of {start.function}: {start.cpu_ratio:.2f} x bare, at most {start.bound}"
        for answer in self.answers:
            if not answer.is_within:
                yield f"warm {answer.flow.name}: {answer.ratio:.2f} x bare, at most {answer.flow.cpu_bound}"
        for recording in self.recordings:
            if not recording.flow.is_within_budget(recording.calls):
                yield f"budget of {recording.flow.name}: {dict(recording.calls)}, at most {dict(recording.flow.budget)}"


def text(results: Results) -> str:
    """Return the tables."""
    blocks = (
        _cold(results),
        _warm(results),
        _budget(results),
        _sizes(results),
        _prices(results),
        PEERS,
    )
    return "\n\n".join(blocks)


def document(results: Results) -> dict[str, Any]:
    """Return everything as plain data."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processor": platform.machine(), "system": platform.system(), "python": platform.python_version()},
        "repeats": results.repeats,
        "bare": results.bare._asdict(),
        "cold": [asdict(start) for start in results.starts],
        "warm": [asdict(answer) for answer in results.answers],
        "budget": [
            {
                "flow": recording.flow.name,
                "calls": dict(recording.calls),
                "read_units": recording.read_units,
                "write_units": recording.write_units,
            }
            for recording in results.recordings
        ],
        "sizes": [asdict(size) for size in results.sizes],
        "prices": {
            "noted_on": prices.NOTED_ON,
            "region": prices.REGION,
            "usd_per_million": [asdict(one) | {"total": one.total} for one in results.prices],
        },
        "broken": list(results.broken()),
    }


def _cold(results: Results) -> str:
    rows = [
        (
            start.function,
            f"{start.cpu:.0f}",
            f"{start.wall:.0f}",
            f"{start.cpu_ratio:.2f}",
            f"{start.wall_ratio:.2f}",
            f"{start.bound:.2f}",
            _verdict(start.is_within),
        )
        for start in results.starts
    ]
    bare = ("(bare: one boto3 client)", f"{results.bare.cpu:.0f}", f"{results.bare.wall:.0f}")
    table = _table(
        ("function", "CPU ms", "wall ms", "CPU x bare", "wall x bare", "bound", ""),
        [(*bare, "1.00", "1.00", "", ""), *rows],
    )
    return f"Start-up, median of {results.repeats} fresh processes each; the bound is on CPU\n{table}"


def _warm(results: Results) -> str:
    rows = [
        (
            answer.flow.name,
            f"{answer.cpu:.2f}",
            f"{answer.bare_cpu:.2f}" if answer.calls else "-",
            f"{answer.ratio:.2f}" if answer.ratio is not None else "-",
            f"{answer.flow.cpu_bound:.2f}" if answer.flow.cpu_bound is not None else "-",
            _verdict(answer.is_within),
            f"{answer.first_answer_cpu:.0f}",
            f"{answer.log_bytes:.0f}",
        )
        for answer in results.answers
    ]
    table = _table(
        ("flow", "CPU ms", "bare calls ms", "x bare", "bound", "", "start + first answer, CPU ms", "log bytes"), rows
    )
    return f"Warm answers beside the bare boto3 calls in them\n{table}"


def _budget(results: Results) -> str:
    rows = [
        (
            recording.flow.name,
            _calls(recording.calls.items()),
            _calls(recording.flow.budget.items()),
            f"{recording.read_units:g}",
            f"{recording.write_units:g}",
            _verdict(recording.flow.is_within_budget(recording.calls)),
        )
        for recording in results.recordings
    ]
    table = _table(("flow", "calls", "budget", "read units", "write units", ""), rows)
    return f"Calls of AWS by a warm function, counted at its client\n{table}"


def _sizes(results: Results) -> str:
    rows = [(size.artifact, f"{size.zipped / 1e3:.1f}", f"{size.unzipped / 1e3:.1f}") for size in results.sizes]
    return f"Artifacts, kB\n{_table(('artifact', 'zipped', 'unzipped'), rows)}"


def _prices(results: Results) -> str:
    by_flow = {one.flow: one for one in results.prices}
    rows = [
        (
            one.flow,
            *(f"{part:.2f}" for part in (one.gateway, one.compute, one.units, one.logs, one.total)),
            f"{one.billed_ms}",
        )
        for one in results.prices
    ]
    total = sum(by_flow[name].total for name in ONE_LOGIN)
    table = _table(("flow", "gateway", "Lambda", "DynamoDB", "logs", "USD per million", "billed ms"), rows)
    return (
        f"Price, in US dollars for a million, warm\n{table}\n"
        f"One login from the portal's call to the dashboard ({' + '.join(ONE_LOGIN)}): {total:.2f} USD per million.\n"
        f"List prices of {prices.REGION} as noted on {prices.NOTED_ON} (bench/prices.py): check them. Assumed, not\n"
        f"measured: {prices.ROUND_TRIP_MS:g} ms for a DynamoDB call, CPU as fast as here. Not counted: cold starts,\n"
        "data transfer, WAF, storage. An authorizer's turn is paid once in 60 s for each credential."
    )


def _calls(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {name}" for name, count in items) or "none"


def _verdict(is_within: bool) -> str:  # noqa: FBT001 - the one thing that it is about
    return "ok" if is_within else "BROKEN"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align a table: the first column to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    is_text = [column == 0 or not all(_is_number(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, is_text, strict=True)
        ).rstrip()
        for row in (head, *rows)
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(f"  {line}" for line in lines)


def _is_number(cell: str) -> bool:
    return cell in {"", "-"} or cell.replace(".", "").isdigit()
