"""SecureVideo's calls for sessions and their hosts, and for what took place.

[ours]: the topic of a session that was given none, that a host with an e-mail
address is invited by mail, and that history lists sessions that have begun.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from vestibule.clock import DAY, MINUTE, SECOND, from_datetime
from vestibule.dialects.securevideo.participants import invitee_of, refuse_namesakes
from vestibule.dialects.securevideo.view import View
from vestibule.dialects.securevideo.wire import (
    answer,
    external_id_of,
    is_named_by_query,
    members_of,
    session_id_of,
    user_of,
    user_with_external_id,
)
from vestibule.domain import rules
from vestibule.domain.rules import Checks
from vestibule.domain.sessions import FOREVER, Filter, HostRef
from vestibule.errors import ConflictError, FieldError, InvalidError
from vestibule.http.problems import RequestError
from vestibule.model import Channel, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vestibule.dialects.front_door import Call
    from vestibule.dialects.reading import Members
    from vestibule.http.event import Answer
    from vestibule.model import Session, User

SESSIONS_AT_MOST = 500
"""Of one list."""
BEGUN_AT_MOST = DAY
"""How long ago a session may have begun to count as active (vendor)."""
TOPIC = "Video session"

_KEPT = ("WaitTime", "ScheduleType")
"""What is kept for the client alone."""
_PAGE = 100


def index(call: Call) -> Answer:
    """``GET /session``, ``GET /session/{userId}``: what is to come, and what began during the last day."""
    starting = range(call.house.clock() - BEGUN_AT_MOST, FOREVER.stop)
    found = _listed(call, starting)
    if not found and (external_id := external_id_of(call)):
        session = call.house.sessions.with_external_id(call.caller.account_id, external_id)
        found = [session] if session and _is_planned(session) and session.starts_at in starting else []
    return _all_shown(call, found)


def history(call: Call) -> Answer:
    """``GET /history``: what has begun; of a month, or of some days, when the query names them."""
    days = _asked_days(call)
    return _all_shown(call, _listed(call, range(days.start, min(days.stop, call.house.clock() + 1))))


def create(call: Call) -> Answer:
    """``POST /session/{userId}``."""
    members, host = members_of(call), user_of(call)
    fields = _fields(members)
    guests = [invitee_of(call, one) for one in members.objects("Participants")]
    refuse_namesakes([host.full_name], guests)
    session, participants = call.house.sessions.create(
        host.account_id, _host(host), {"title": TOPIC, **fields}, [invitee for invitee, _ in guests]
    )
    return answer(201, View(call).session(session, participants))


def change(call: Call) -> Answer:
    """``PUT /session/{sessionId}``."""
    account_id, session_id = call.caller.account_id, session_id_of(call)
    before = call.house.sessions.get(account_id, session_id)
    fields = _fields(members_of(call), before)
    session, gathering = call.house.sessions.change(account_id, session_id, fields)
    return answer(200, View(call).session(session, gathering.participants))


def cancel(call: Call) -> Answer:
    """``DELETE /session/{sessionId}``."""
    call.house.sessions.cancel(call.caller.account_id, session_id_of(call))
    return answer(204)


def change_host(call: Call) -> Answer:
    """``PUT /sessionhost/{sessionId}``."""
    members, account_id = members_of(call), call.caller.account_id
    if user_id := members.text("UserId"):
        host = call.house.users.get(account_id, user_id)
    elif external_id := members.text("ExternalUserId"):
        host = user_with_external_id(call, external_id)
    else:
        raise InvalidError(FieldError("UserId", "required", "UserId: or ExternalUserId is required."))
    session, participants = call.house.sessions.hand_over(account_id, session_id_of(call), _host(host))
    return answer(200, View(call).session(session, participants))


# --- what is asked for ------------------------------------------------------------------------


def _asked_host(call: Call) -> str | None:
    """Return the id of the user whose sessions are asked for, "" for nobody's and None for everybody's."""
    if not is_named_by_query(call.values["user_id"]):
        return user_of(call).user_id
    if external_id := external_id_of(call):
        user = call.house.users.with_external_id(call.caller.account_id, external_id)
        return user.user_id if user else ""
    return None


def _asked_days(call: Call) -> range:
    """Return the moments that a query names by a month, else by a first or a last day or both."""
    query = call.event.folded_query
    start, end = query.get("startdt"), query.get("enddt")
    try:
        if month := query.get("month"):
            first = _day(month).replace(day=1)
            return range(_midnight(first), _midnight((first + timedelta(days=31)).replace(day=1)))
        return range(
            _midnight(_day(start)) if start else FOREVER.start,
            _midnight(_day(end) + timedelta(days=1)) if end else FOREVER.stop,
        )
    except (ValueError, OverflowError):
        detail = "month: must be a month such as 2027-01-01, startDt and endDt days such as 2027-01-31."
        raise InvalidError(FieldError("month", "wrong_type", detail)) from None


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()


def _midnight(day: date) -> int:
    return max(0, from_datetime(datetime.combine(day, time(), UTC)))


def _listed(call: Call, starting: range) -> list[Session]:
    """Return the sessions that path and query ask for, without the cancelled ones."""
    host_id, email = _asked_host(call), call.event.folded_query.get("participantemail")
    clean = rules.sought(rules.email, email) if email else None
    if not starting or host_id == "" or (email and clean is None):
        return []
    wanted = Filter(None if clean else host_id, clean, starting)
    return [one for one in _all_pages(call, wanted) if _is_planned(one) and host_id in {None, one.host_user_id}]


def _is_planned(session: Session) -> bool:
    return session.status is SessionStatus.SCHEDULED


def _all_pages(call: Call, wanted: Filter) -> list[Session]:
    found: list[Session] = []
    after: str | None = None
    while True:
        page, after = call.house.sessions.page(call.caller.account_id, wanted, after=after, limit=_PAGE)
        found += page
        if after is None:
            return found
        if len(found) >= SESSIONS_AT_MOST:
            detail = f"There are more than {SESSIONS_AT_MOST} sessions; ask for those of one user or of fewer days."
            raise ConflictError("too_many_sessions", detail)


def _all_shown(call: Call, sessions: Iterable[Session]) -> Answer:
    view, participants = View(call), call.house.participants
    return answer(200, [view.session(one, participants.list_of(one.account_id, one.session_id)) for one in sessions])


def _fields(members: Members, before: Session | None = None) -> dict[str, Any]:
    """Return the given members of a session as the domain takes them."""
    if members.flag("IsRecorded"):
        raise RequestError(501, "not_offered", "Recording is not offered; leave IsRecorded false.")
    fields: dict[str, Any] = {}
    if text := members.text("ScheduleTs"):
        fields["starts_at"] = _moment(text, before.starts_at if before else None)
    if minutes := members.number("DurationMinutes"):
        fields["duration_minutes"] = minutes
    if topic := members.text("Topic"):
        fields["title"] = topic
    if "ExternalSessionId" in members:
        external_id, checks = members.text("ExternalSessionId"), Checks()
        fields["external_id"] = external_id and checks.apply("ExternalSessionId", rules.external_id, external_id)
        checks.finish()
    kept = {name: members.text(name) or "" for name in _KEPT if name in members}
    if kept:
        fields["extras"] = {**(before.extras if before else {}), **kept}
    if before is None and fields.get("external_id", "") is None:
        del fields["external_id"]
    return fields


def _moment(text: str, before: int | None) -> int:
    """Return a time that stands for UTC without saying so; the second that was shown is the start as it was."""
    try:
        written = datetime.fromisoformat(text)
        moment = from_datetime(written if written.tzinfo else written.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        detail = "ScheduleTs: must be a time such as 2027-01-31T09:00:00."
        raise InvalidError(FieldError("ScheduleTs", "wrong_type", detail)) from None
    if before is not None and moment // SECOND == before // SECOND:
        return before
    return moment // MINUTE * MINUTE


def _host(user: User) -> HostRef:
    return HostRef(user_id=user.user_id, notify=Channel.EMAIL if user.email else Channel.NONE)
