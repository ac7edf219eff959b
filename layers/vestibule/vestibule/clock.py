"""Time, as the whole house counts it: integer milliseconds since the epoch, UTC.

Nothing below ``wiring`` reads the machine's clock; it is handed a `Clock`.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

type Clock = Callable[[], int]
"""Returns now, in milliseconds since the epoch."""

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def system_clock() -> int:
    """Return the machine's time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def to_rfc3339(moment: int) -> str:
    """Return a moment as RFC 3339 in UTC, with milliseconds.

    Parameters
    ----------
    moment
        Milliseconds since the epoch.

    Examples
    --------
    >>> to_rfc3339(1_795_315_772_123)
    '2026-11-22T02:49:32.123Z'
    """
    whole = datetime.fromtimestamp(moment // SECOND, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{moment % SECOND:03d}Z"


def from_datetime(moment: datetime) -> int:
    """Return an aware datetime in milliseconds since the epoch."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * DAY + since.seconds * SECOND + since.microseconds // 1_000


def to_epoch_seconds(moment: int) -> int:
    """Return a moment in whole seconds, rounded up (DynamoDB's ``ttl``, JWT dates)."""
    return -(-moment // SECOND)
