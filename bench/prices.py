"""What a million of each flow costs: AWS's list prices times what this run measured and counted.

The unit prices are the public on-demand list prices of us-east-1, first tier, without free tier, taxes or
discounts, as noted on 2026-11-22 from the pages named beside them. Check them before you rely on a sum; another
region has others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.scene import Recording
    from bench.warm import WarmAnswer

NOTED_ON = "2026-11-22"
REGION = "us-east-1"

# https://aws.amazon.com/api-gateway/pricing/ (REST APIs, the first 333 million requests of a month)
GATEWAY_PER_REQUEST = 3.50 / 1e6
# https://aws.amazon.com/lambda/pricing/ (arm64; duration is billed by the whole millisecond)
LAMBDA_PER_INVOCATION = 0.20 / 1e6
LAMBDA_PER_GB_SECOND = 0.000_013_333_4
# https://aws.amazon.com/dynamodb/pricing/on-demand/ (standard table class)
DYNAMODB_PER_WRITE_UNIT = 0.625 / 1e6
DYNAMODB_PER_READ_UNIT = 0.125 / 1e6
# https://aws.amazon.com/cloudwatch/pricing/ (ingestion, standard log class)
LOGS_PER_BYTE = 0.50 / 1e9

# --- what no bench on one machine can measure: assumptions, and they are printed as such -------------------

VCPU_AT_MB = 1_769
"""Memory at which Lambda gives one whole vCPU (Lambda's guide, "Configure memory"); a share of it below that."""
ROUND_TRIP_MS = 4.0
"""One DynamoDB call from Lambda in the same region."""
PLATFORM_LOG_BYTES = 330
"""START, END and REPORT of one invocation, with CloudWatch's own 26 bytes for each line."""
ACCESS_LOG_BYTES = 330
"""One line of the template's access log."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a million of one flow costs, in US dollars, warm."""

    flow: str
    gateway: float
    compute: float
    units: float
    logs: float
    billed_ms: int

    @property
    def total(self) -> float:
        """Everything together."""
        return self.gateway + self.compute + self.units + self.logs


def price(recording: Recording, answer: WarmAnswer, memory_mb: int) -> Price:
    """Return the price of a million of one flow.

    Parameters
    ----------
    memory_mb
        The functions' memory, which decides their share of a processor.
    """
    flow, million = recording.flow, 1_000_000
    share = min(1.0, memory_mb / VCPU_AT_MB)
    billed_ms = math.ceil(answer.cpu / share + answer.calls * ROUND_TRIP_MS)
    log_bytes = answer.log_bytes + PLATFORM_LOG_BYTES + (ACCESS_LOG_BYTES if flow.is_request else 0)
    return Price(
        flow=flow.name,
        gateway=million * GATEWAY_PER_REQUEST * flow.is_request,
        compute=million * (LAMBDA_PER_INVOCATION + LAMBDA_PER_GB_SECOND * memory_mb / 1_024 * billed_ms / 1_000),
        units=million
        * (recording.write_units * DYNAMODB_PER_WRITE_UNIT + recording.read_units * DYNAMODB_PER_READ_UNIT),
        logs=million * log_bytes * LOGS_PER_BYTE,
        billed_ms=billed_ms,
    )
