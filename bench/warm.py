"""Warm answers: the CPU of a handler beside that of the bare boto3 calls that it makes.

Both run in one process like Lambda's, in turns; DynamoDB is `bench.stub` in another, so that only the caller's
side is counted: what Lambda bills.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import artifacts, runtime
from bench.stub import answering

if TYPE_CHECKING:
    from bench.flows import Flow
    from bench.scene import Recording

SCRIPT = Path(__file__).with_name("answering.py")
BATCH = 40
"""Answers in a round; a round lasts long enough for the clock, and short enough for a shared machine."""


@dataclass(frozen=True, slots=True)
class WarmAnswer:
    """What one answer costs a warm function: medians, in milliseconds.

    Attributes
    ----------
    first_answer_cpu
        Start-up and first answer together, everything that is imported late included.
    bare_cpu
        Of the same calls without a handler around them.
    ratio
        Median of the rounds' own ratios; None for a handler without calls.
    log_bytes
        What the function writes to its log.
    """

    flow: Flow
    first_answer_cpu: float
    cpu: float
    wall: float
    bare_cpu: float
    ratio: float | None
    calls: int
    log_bytes: float

    @property
    def is_within(self) -> bool:
        """Whether the bound is met, if there is one."""
        return self.ratio is None or self.flow.cpu_bound is None or self.ratio <= self.flow.cpu_bound


def measure(recording: Recording, rounds: int) -> WarmAnswer:
    """Let the built function of a flow answer from the recording.

    Parameters
    ----------
    rounds
        Each of `BATCH` answers and as many bare calls.
    """
    flow = recording.flow
    job = artifacts.HOME / f"{flow.name.replace(' ', '-')}.json"
    job.write_text(json.dumps({"event": recording.event, "rounds": rounds, "batch": BATCH}))
    with answering(recording.answers) as endpoint:
        printed = runtime.run(
            SCRIPT,
            job,
            artifacts.TASKS / flow.logical_id,
            artifacts.PACKAGES,
            environment=runtime.variables(endpoint=endpoint),
        )
    return WarmAnswer(flow, **json.loads(printed))
