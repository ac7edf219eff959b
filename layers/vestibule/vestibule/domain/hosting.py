"""What people may do with sessions by themselves, in the hub; the portal may do everything, through the API.

A session has one host, and the host alone manages it: presenters and organizers
are matched by strings that the portal has vouched for, which is enough for a role
on the stage, and too little for other people's codes and links.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from vestibule.clock import from_datetime
from vestibule.model import Role

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from vestibule.model import Session, User

MAY_SCHEDULE = frozenset({Role.PROVIDER, Role.MEMBER})
"""Who may plan a session: everybody whom the portal registered for more than a visit.

The vendor's Login API promises it to every user who is logged in; `member` is what
a user is whose portal said nothing.  A guest was let in for somebody else's sessions.
"""


def may_schedule(user: User) -> bool:
    """Tell whether a user may plan sessions, which they then host."""
    return user.role in MAY_SCHEDULE


def is_host(user: User, session: Session) -> bool:
    """Tell whether a session is the user's to change, to cancel and to invite to."""
    return session.account_id == user.account_id and session.host_user_id == user.user_id


def moment_at(day: date, clock_time: time, zone: ZoneInfo) -> int | None:
    """Return the moment at which a zone's clocks show a day and a time.

    Returns
    -------
    int or None
        Milliseconds since the epoch; the first of two where clocks go back, None
        where they go forward over that time.
    """
    shown = datetime.combine(day, clock_time, zone)
    try:
        moment = shown.astimezone(UTC)
    except OverflowError:  # the first or the last day that a calendar can write
        return None
    is_skipped = moment.astimezone(zone).replace(tzinfo=None, fold=0) != shown.replace(tzinfo=None)
    return None if is_skipped else from_datetime(moment)
