"""Time zones by their names on Windows, as CLDR maps them (the table is the package tzlocal's).

One Windows name stands for many IANA zones: who sends back the name that was
shown has changed nothing, and must keep the finer zone.
"""

from __future__ import annotations

from vestibule.domain.rules import RuleError


def iana_of(windows_name: str) -> str:
    """Return the IANA zone that a Windows name stands for first.

    Raises
    ------
    RuleError
        Windows has no such zone.
    """
    # Importing the table takes as long as a read: logins do without it.
    from tzlocal.windows_tz import win_tz  # noqa: PLC0415

    if windows_name not in win_tz:
        raise RuleError("unknown_time_zone", "must be a time zone's name on Windows, such as Pacific Standard Time.")
    return win_tz[windows_name]


def name_of(zone: str | None) -> str:
    """Return an IANA zone's name on Windows, empty when it has none."""
    from tzlocal.windows_tz import tz_win  # noqa: PLC0415 - as above

    return tz_win.get(zone, "") if zone else ""  # the table has a name for no zone, too
