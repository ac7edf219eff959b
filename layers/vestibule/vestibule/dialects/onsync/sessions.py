"""OnSync's sessions.

[ours]: which members a session shows and their order, and who hosts it.  OnSync's
sessions belong to the account, ours to a user: one of the account's users, found
by its external_id `HOST`, hosts them all, and is made with the first.  It is no
invitee, and a client's own ``user_id`` changes nothing.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vestibule.clock import SECOND, from_datetime
from vestibule.dialects.onsync import zones
from vestibule.dialects.onsync.invitees import check, invited, replace_all
from vestibule.dialects.onsync.wire import required
from vestibule.domain import moments, rules
from vestibule.domain.rules import Checks
from vestibule.domain.sessions import HostRef
from vestibule.errors import ConflictError, FieldError, InvalidError, NotFoundError
from vestibule.model import Role, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from vestibule.dialects.onsync.wire import Ask
    from vestibule.domain.participants import Invitee
    from vestibule.model import Session

HOST = "onsync"
"""external_id of the user who hosts the account's sessions."""
ADDED, UPDATED, DELETED = "Session added", "Session updated", "Session was deleted"
"""Clients compare these to the letter."""


def create(ask: Ask) -> dict[str, Any]:
    """``PUT /session``."""
    fields = _fields(ask, None)
    if "title" not in fields:
        raise required("topic")
    session = _planned(ask, {name: value for name, value in fields.items() if value is not None}, invited(ask))
    return {"id": int(session.session_id), "message": ADDED}


def change(ask: Ask) -> dict[str, Any]:
    """``POST /session``: with invited_participants, that is the list from now on."""
    session_id = ask.id_of("id", "session_not_found")
    before = _live(ask, session_id)
    people = invited(ask) if ask.members.is_set("invited_participants") else None
    check(ask, before, people or ())
    if fields := _fields(ask, before):
        ask.house.sessions.change(ask.account_id, session_id, fields)
    if people is not None:
        replace_all(ask, session_id, people)
    return {"id": int(session_id), "message": UPDATED}


def delete(ask: Ask) -> dict[str, Any]:
    """``DELETE /session``."""
    ask.house.sessions.cancel(ask.account_id, ask.id_of("id", "session_not_found"))
    return {"message": DELETED}


def show(ask: Ask) -> dict[str, Any]:
    """``GET /session/id/{id}``."""
    session = _live(ask, ask.id_of("id", "session_not_found"))
    start = _local(session)
    return {
        "id": int(session.session_id),
        "topic": session.title,
        "start_time": f"{start:%Y-%m-%d %H:%M:%S}",
        "timezone": zones.code_of(start),
        "duration": session.duration_minutes,
        "friendly_url": session.friendly_url or "",
        "session_link": ask.house.links.session_link(ask.account.slug, session),
    }


def _live(ask: Ask, session_id: str) -> Session:
    """Return a session that was not deleted."""
    session = ask.house.sessions.get(ask.account_id, session_id)
    if session.status is SessionStatus.CANCELLED:
        raise NotFoundError("session_not_found", "The session was deleted.")
    return session


def _planned(ask: Ask, fields: dict[str, Any], people: Sequence[Invitee]) -> Session:
    """Create a session; the first of an account makes the account's host before."""
    host, create_session = HostRef(external_id=HOST), ask.house.sessions.create
    try:
        return create_session(ask.account_id, host, fields, people)[0]
    except InvalidError as refused:
        if all(error.field != "host" for error in refused.errors):
            raise
    with suppress(ConflictError):  # another call has just made it
        user = {"full_name": ask.account.name, "external_id": HOST, "role": Role.PROVIDER}
        ask.house.users.create(ask.account_id, user)
    return create_session(ask.account_id, host, fields, people)[0]


def _fields(ask: Ask, before: Session | None) -> dict[str, Any]:
    """Return the given members of a session as the domain takes them."""
    members = ask.members
    fields = _when(ask, before)
    if "topic" in members:
        fields["title"] = members.text("topic")
        if fields["title"] is None:
            raise required("topic")
    if (minutes := members.number("duration")) is not None:
        fields["duration_minutes"] = minutes
    if "friendly_url" in members:
        fields["friendly_url"] = members.text("friendly_url")
    if "password" in members:
        fields["password"] = members.verbatim("password")
    return fields


def _when(ask: Ask, before: Session | None) -> dict[str, Any]:
    """Return start and zone, as far as they are given; what was shown comes back as it was."""
    text, code = ask.members.text("start_time"), ask.members.text("timezone")
    if text is None and code is None:
        return {}
    checks = Checks()
    zone = checks.apply("time_zone", zones.zone_of, code) if code else _zone(before)
    checks.finish()
    if text is None and before is None:  # it begins now
        return {"time_zone": zones.name_of(zone, moments.local(ask.house.clock(), _zone(None)).astimezone(zone))}
    wall = _wall_clock(text) if text else _local(before).replace(tzinfo=None)  # type: ignore[arg-type]  # one is given
    start = wall if wall.tzinfo else wall.replace(tzinfo=zone)
    moment = checks.apply("starts_at", rules.moment, from_datetime(start))
    checks.finish()
    fields: dict[str, Any] = {}
    if before is None or moment // SECOND != before.starts_at // SECOND:
        fields["starts_at"] = moment
    if before is None or start.astimezone(_zone(before)).utcoffset() != start.utcoffset():
        fields["time_zone"] = zones.name_of(start.tzinfo or UTC, start)
    return fields


def _wall_clock(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        detail = "start_time: must be a time such as 2027-01-31 09:00:00."
        raise InvalidError(FieldError("start_time", "wrong_type", detail)) from None


def _zone(session: Session | None) -> ZoneInfo:
    return moments.zone(session.time_zone if session else None)


def _local(session: Session) -> datetime:
    return moments.local(session.starts_at, _zone(session))
