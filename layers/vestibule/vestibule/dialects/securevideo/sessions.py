"""SecureVideo's calls for sessions, their participants and hosts, and what took place.

[ours]: the order of the members that later pages of the vendor add (last), the
words of RSVP but ``Unknown``, the topic of a session that was given none, that a
host with an e-mail address is invited by mail, and that history lists sessions.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.clock import DAY, MINUTE, SECOND, from_datetime
from vestibule.dialects import windows_zones
from vestibule.dialects.securevideo.wire import (
    answer,
    external_id_of,
    is_named_by_query,
    members_of,
    user_of,
    user_with_external_id,
)
from vestibule.domain import rules
from vestibule.domain.participants import Invitee
from vestibule.domain.rules import Checks
from vestibule.domain.sessions import FOREVER, Filter, HostRef
from vestibule.errors import ConflictError, FieldError, InvalidError, NotFoundError
from vestibule.http.problems import RequestError
from vestibule.model import Channel, Rsvp, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vestibule.dialects.front_door import Call
    from vestibule.dialects.reading import Members
    from vestibule.http.event import Answer
    from vestibule.model import Account, Participant, Session, User

SESSIONS_AT_MOST = 500
"""Of one list."""
BEGUN_AT_MOST = DAY
"""How long ago a session may have begun to count as active (vendor)."""
TOPIC = "Video session"

_SHORTEST_NAME = 2
_KEPT = ("WaitTime", "ScheduleType")
_KEPT_OF_PARTICIPANTS = ("ParticipantDefaultResolution", "ParticipantTimeZoneWindowsId")
_CHANNELS = {"E": Channel.EMAIL, "S": Channel.SMS, "N": Channel.NONE}
_LETTERS = {channel: letter for letter, channel in _CHANNELS.items()}
_RSVPS = {
    Rsvp.PENDING: "Unknown",
    Rsvp.ACCEPTED: "Accepted",
    Rsvp.TENTATIVE: "Tentative",
    Rsvp.DECLINED: "Declined",
}
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
    guests = [_invitee(call, one) for one in members.objects("Participants")]
    _refuse_namesakes([host.full_name], guests)
    session, participants = call.house.sessions.create(
        host.account_id, _host(host), {"title": TOPIC, **fields}, [invitee for invitee, _ in guests]
    )
    return answer(201, _View(call).session(session, participants))


def change(call: Call) -> Answer:
    """``PUT /session/{sessionId}``."""
    account_id, session_id = call.caller.account_id, _session_id(call)
    before = call.house.sessions.get(account_id, session_id)
    fields = _fields(members_of(call), before)
    session, gathering = call.house.sessions.change(account_id, session_id, fields)
    return answer(200, _View(call).session(session, gathering.participants))


def cancel(call: Call) -> Answer:
    """``DELETE /session/{sessionId}``."""
    call.house.sessions.cancel(call.caller.account_id, _session_id(call))
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
    session, participants = call.house.sessions.hand_over(account_id, _session_id(call), _host(host))
    return answer(200, _View(call).session(session, participants))


def add_participant(call: Call) -> Answer:
    """``POST /participant/{sessionId}``."""
    account_id, session_id = call.caller.account_id, _session_id(call)
    guest = _invitee(call, members_of(call))
    known = call.house.participants.list_of(account_id, session_id)
    _refuse_namesakes([one.full_name for one in known], [guest])
    (added,) = call.house.participants.add(account_id, session_id, [guest[0]])
    session = call.house.sessions.get(account_id, session_id)
    return answer(201, _View(call).participant(session, added))


def remove_participant(call: Call) -> Answer:
    """``DELETE /participant/{participationId}``."""
    account_id, participant_id = call.caller.account_id, call.values["participant_id"]
    session_id = call.house.participants.session_id_of(account_id, participant_id)
    call.house.participants.remove(account_id, session_id, participant_id)
    return answer(204)


# --- what is asked for ------------------------------------------------------------------------


def _session_id(call: Call) -> str:
    """Return the session's own id that path or query name."""
    session_id = call.values["session_id"]
    external_id = call.event.folded_query.get("externalsessionid", "")
    if is_named_by_query(session_id) and external_id:
        found = call.house.sessions.with_external_id(call.caller.account_id, external_id)
        session_id = found.session_id if found else ""
    if not ids.is_object_id(session_id):
        raise NotFoundError("session_not_found", "The account has no such session.")
    return session_id


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
        fields["external_id"] = members.text("ExternalSessionId")
    kept = {name: members.text(name) or "" for name in _KEPT if name in members}
    if kept:
        fields["extras"] = {**(before.extras if before else {}), **kept}
    if before is None and fields.get("external_id", "") is None:
        del fields["external_id"]
    return fields


def _moment(text: str, before: int | None) -> int:
    """Return a time that stands for UTC without saying so; what was shown comes back as it was."""
    if before is not None and text == _time(before):
        return before
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return from_datetime(aware) // MINUTE * MINUTE
    except (ValueError, OverflowError):
        detail = "ScheduleTs: must be a time such as 2027-01-31T09:00:00."
        raise InvalidError(FieldError("ScheduleTs", "wrong_type", detail)) from None


def _host(user: User) -> HostRef:
    return HostRef(user_id=user.user_id, notify=Channel.EMAIL if user.email else Channel.NONE)


def _invitee(call: Call, members: Members) -> tuple[Invitee, str]:
    """Return somebody to be invited, and their name."""
    checks = Checks()
    user_id, name = members.text("SecureVideoUserId"), members.text("ParticipantFullName")
    user = call.house.users.get(call.caller.account_id, user_id) if user_id and user_id != "0" else None
    if len(name or (user.full_name if user else "")) < _SHORTEST_NAME:
        checks.refuse("ParticipantFullName", "invalid_length", "must have 2 or more characters.")
    letter = (members.text("ShouldAutoDeliverCode") or "N").upper()
    if letter not in _CHANNELS:
        checks.refuse("ShouldAutoDeliverCode", "out_of_range", "must be E, S or N.")
    kept = {one: text for one in _KEPT_OF_PARTICIPANTS if (text := members.text(one))}
    if zone := kept.get("ParticipantTimeZoneWindowsId"):
        checks.apply("ParticipantTimeZoneWindowsId", windows_zones.iana_of, zone)
    checks.finish()
    phone = members.text("ParticipantSmsNumber")
    if user is not None:
        phone = phone or user.extras.get("SmsNumber")
        kept = {
            "ParticipantDefaultResolution": user.extras.get("DefaultResolution", ""),
            "ParticipantTimeZoneWindowsId": windows_zones.name_of(user.time_zone),
        } | kept
    invitee = Invitee(
        full_name=name,
        email=members.text("ParticipantEmailAddress"),
        phone=phone,
        user_id=user.user_id if user else None,
        external_id=members.text("ParticipantExternalId"),
        notify=_CHANNELS[letter],
        extras=kept,
    )
    return invitee, name or (user.full_name if user else "")


def _refuse_namesakes(known: Sequence[str], guests: Iterable[tuple[Invitee, str]]) -> None:
    """Refuse two people of one name in a session, as the vendor does."""
    names = {name.casefold() for name in known}
    for _, name in guests:
        if name.casefold() in names:
            raise ConflictError("participant_exists", f"{name} takes part in the session already.")
        names.add(name.casefold())


# --- what is shown ----------------------------------------------------------------------------


def _all_shown(call: Call, sessions: Iterable[Session]) -> Answer:
    view, participants = _View(call), call.house.participants
    return answer(200, [view.session(one, participants.list_of(one.account_id, one.session_id)) for one in sessions])


class _View:
    """Shows sessions and participants of a call's account."""

    def __init__(self, call: Call) -> None:
        self._account: Account = call.house.accounts.get(call.caller.account_id)
        self._links = call.house.links

    def session(self, session: Session, participants: Sequence[Participant]) -> dict[str, Any]:
        kept = session.extras
        return {
            "SessionId": int(session.session_id),
            "ScheduleTs": _time(session.starts_at),
            "BillableTs": None,
            "BillableStatusCd": None,
            "UserId": int(session.host_user_id),
            "IsRecorded": False,
            "Participants": [self.participant(session, one) for one in participants],
            "DurationMinutes": session.duration_minutes,
            "WaitTime": kept.get("WaitTime"),
            "ScheduleType": kept.get("ScheduleType"),
            "ExternalSessionId": session.external_id or "",
            "Topic": session.title,
        }

    def participant(self, session: Session, participant: Participant) -> dict[str, Any]:
        kept = participant.extras
        zone = kept.get("ParticipantTimeZoneWindowsId") or windows_zones.name_of(session.time_zone)
        return {
            "ParticipationId": int(participant.participant_id),
            "ParticipantFullName": participant.full_name,
            "SecureVideoUserId": int(participant.user_id) if participant.user_id else None,
            "ParticipantEmailAddress": participant.email or "",
            "ParticipantSmsNumber": participant.phone or "",
            "ParticipantDefaultResolution": kept.get("ParticipantDefaultResolution", "high"),
            "ParticipantTimeZoneWindowsId": zone,
            "ConnectCode": int(self._links.connect_code(participant)),
            "ShouldAutoDeliverCode": _LETTERS[participant.notify],
            "ConnectionTs": None,
            "ExpiresTs": None,
            "RSVP": _RSVPS[participant.rsvp],
            "ParticipantExternalId": participant.external_id or "",
            "Passkey": self._links.passkey(participant) if self._account.require_passkey else "",
        }


def _time(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment // SECOND, UTC):%Y-%m-%dT%H:%M:%S}"
