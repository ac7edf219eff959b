"""The overlap of a rotation: for how long a former secret still counts beside its successor."""

from __future__ import annotations

from vestibule.clock import DAY, MINUTE
from vestibule.errors import FieldError, InvalidError

OVERLAP = 7 * DAY
"""Unless told otherwise."""
LONGEST_OVERLAP = 30 * DAY


def check_overlap(overlap: int) -> None:
    """Refuse an overlap (milliseconds) that no secret can have.

    Raises
    ------
    InvalidError
        It is negative or longer than 30 days.
    """
    if not 0 <= overlap <= LONGEST_OVERLAP:
        detail = f"overlap_minutes: must be 0 to {LONGEST_OVERLAP // MINUTE}."
        raise InvalidError(FieldError("overlap_minutes", "out_of_range", detail))
