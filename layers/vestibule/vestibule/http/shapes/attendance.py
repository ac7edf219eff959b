"""Attendance on the wire: JSON, and CSV for those who open it in a spreadsheet."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from vestibule.clock import SECOND, to_rfc3339
from vestibule.domain.attendance import Attended, Summary

CSV_MEDIA_TYPE = "text/csv; charset=utf-8"
COLUMNS = (
    "visit_id",
    "name",
    "email",
    "user_id",
    "own_id",
    "role",
    "entrance",
    "joined_at",
    "left_at",
    "seconds",
    "is_present",
    "metadata",
)

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def visit_out(attended: Attended) -> dict[str, Any]:
    """Return a visit as the API shows it."""
    visit = attended.visit
    return {
        "visit_id": visit.visit_id,
        "name": visit.name,
        "email": visit.email,
        "user_id": visit.user_id,
        "own_id": visit.own_id,
        "role": visit.role,
        "entrance": visit.entrance,
        "joined_at": to_rfc3339(visit.joined_at),
        "left_at": to_rfc3339(visit.left_at),
        "seconds": attended.seconds,
        "is_present": attended.is_present,
        "metadata": json.loads(visit.metadata),
    }


def summary_out(summary: Summary) -> dict[str, Any]:
    """Return a session's summary as the API shows it."""
    begun, ended = summary.begun, summary.ended
    return {
        "visits": summary.visits,
        "people": summary.people,
        "present": summary.present,
        "seconds": summary.seconds,
        "first_joined_at": None if begun is None else to_rfc3339(begun),
        "last_left_at": None if ended is None else to_rfc3339(ended),
        "peak": max(summary.concurrency, default=0),
        "step_seconds": summary.step // SECOND,
        "concurrency": list(summary.concurrency),
        "is_complete": summary.is_complete,
    }


def as_csv(visits: Iterable[Attended]) -> str:
    """Return visits as CSV with a head line (RFC 4180), harmless to a spreadsheet."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(COLUMNS)
    for attended in visits:
        shown = visit_out(attended) | {"metadata": attended.visit.metadata}
        writer.writerow(_cell(shown[column]) for column in COLUMNS)
    return page.getvalue()


def _cell(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
