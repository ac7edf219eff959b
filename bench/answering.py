"""Run by `bench.warm` in a process like Lambda's: answer one event again and again, beside the bare calls in it.

Usage: answering.py JOB TASK PACKAGES

JOB is a JSON file: the event, how many rounds, how many answers in a round. What was measured is printed as JSON;
what the handler prints goes to JOB.log.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    type Act = Callable[[], object]

CONTEXT = SimpleNamespace(aws_request_id="0b5e8f0a-7f0e-4e0e-9c1e-000000000001", function_name="bench")
REFUSED = 400


def main(job_path: str, *search_path: str) -> dict[str, Any]:
    """Measure the handler that the search path leads to."""
    job = json.loads(Path(job_path).read_text())
    sys.path[0:0] = search_path
    log = _redirect_output(f"{job_path}.log")

    started = time.process_time()
    app = importlib.import_module("app")

    def answer() -> None:
        given = app.handler(job["event"], CONTEXT)
        if given.get("statusCode", 0) >= REFUSED:
            raise RuntimeError(given)

    answer()
    first_answer_cpu = (time.process_time() - started) * 1_000

    calls = _calls_of(answer, app.house.dynamodb)
    call_barely = _bare(calls)
    call_barely()
    logged_before = os.fstat(log).st_size
    ours, bare = [], []
    for _ in range(job["rounds"]):
        ours.append(_per_act(answer, job["batch"]))
        bare.append(_per_act(call_barely, job["batch"]))
    return {
        "first_answer_cpu": first_answer_cpu,
        "cpu": statistics.median(cpu for cpu, _ in ours),
        "wall": statistics.median(wall for _, wall in ours),
        "bare_cpu": statistics.median(cpu for cpu, _ in bare),
        "ratio": statistics.median(a / b for (a, _), (b, _) in zip(ours, bare, strict=True)) if calls else None,
        "calls": len(calls),
        "log_bytes": (os.fstat(log).st_size - logged_before) / (job["rounds"] * job["batch"]),
    }


def _redirect_output(path: str) -> int:
    """Send what the handler prints to a file, and give its descriptor."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    return log


def _calls_of(answer: Act, client: Any) -> list[tuple[str, dict[str, Any]]]:
    """Give the operations and parameters that one answer asks of DynamoDB."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append((model.name, dict(params)))

    client.meta.events.register("provide-client-params.dynamodb", note)
    answer()
    client.meta.events.unregister("provide-client-params.dynamodb", note)
    return calls


def _bare(calls: list[tuple[str, dict[str, Any]]]) -> Act:
    """Give a function that makes the same calls with nothing around them."""
    # Not imported before the function, which does without boto3.
    import boto3  # noqa: PLC0415
    from botocore import xform_name  # noqa: PLC0415

    client = boto3.client("dynamodb")
    methods = [(getattr(client, xform_name(operation)), parameters) for operation, parameters in calls]

    def call_barely() -> None:
        for method, parameters in methods:
            method(**parameters)

    return call_barely


def _per_act(act: Act, times: int) -> tuple[float, float]:
    """Act that often; give CPU and wall milliseconds for one."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        act()
    return (time.process_time() - cpu) * 1_000 / times, (time.perf_counter() - wall) * 1_000 / times


if __name__ == "__main__":
    report = os.fdopen(os.dup(1), "w")  # taken before the handler's output is sent elsewhere
    json.dump(main(*sys.argv[1:]), report)
