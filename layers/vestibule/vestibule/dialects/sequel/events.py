"""Companies and events: accounts and sessions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from vestibule.clock import MINUTE, from_datetime, to_rfc3339
from vestibule.dialects import reading
from vestibule.dialects.sequel.wire import (
    CREATOR,
    EVENTS_AT_MOST,
    EVENTS_FROM,
    account_of,
    all_of,
    answer,
    bad_request,
    event_of,
    needed,
)
from vestibule.domain import rules
from vestibule.domain.people import named_alike
from vestibule.domain.sessions import Filter, HostRef
from vestibule.errors import ConflictError, NotFoundError, VersionMismatchError
from vestibule.model import Registration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vestibule.dialects.front_door import Call
    from vestibule.dialects.reading import Members
    from vestibule.http.event import Answer
    from vestibule.model import Account, Session

TYPES = ("Virtual", "LiveStreamInPerson")

_NEEDED = ("companyId", "name", "startDate", "endDate", "timezone", "type")
_REGISTERS = "isRegistrationModeEnabled"
_FLAGS = (_REGISTERS, "isAttendeeRegistrationModeEnabled")
"""With type and picture, what an event has and a session has not; kept in the session's extras by these names."""
_ATTEMPTS = 3


# --- companies ---


def show_company(call: Call) -> Answer:
    """Show the account, which has no other above it."""
    account = _company(call, call.values["company_id"])
    return answer(
        200,
        {
            "uid": account.account_id,
            "name": account.name,
            "logo": account.logo_url,
            "parentCompanyId": None,
            "eventIds": [session.session_id for session in _all_events(call)],
            "metadata": None,
        },
    )


def index(call: Call) -> Answer:
    """List the account's sessions in the order of their start."""
    _company(call, call.values["company_id"])
    return answer(200, [_out(session) for session in _all_events(call)])


def _company(call: Call, company_id: str) -> Account:
    """Return the caller's account, addressed by its id or by the client's."""
    if company_id not in {call.caller.account_id, call.caller.client_id}:
        raise NotFoundError("account_not_found", "There is no such account.")
    return account_of(call)


def _all_events(call: Call) -> list[Session]:
    wanted = Filter(starting=range(max(0, call.house.clock() - EVENTS_FROM), rules.LAST_MOMENT))

    def page(after: str | None, limit: int) -> tuple[list[Session], str | None]:
        return call.house.sessions.page(call.caller.account_id, wanted, after=after, limit=limit)

    return [session for session in all_of(page) if session.cancelled_at is None][:EVENTS_AT_MOST]


# --- events ---


def create(call: Call) -> Answer:
    """Plan a session."""
    sent = reading.members(call.event.body)
    company_id, *_ = (needed(sent, name) for name in _NEEDED)
    account = _company(call, company_id)
    creator = call.house.users.keep(account.account_id, CREATOR, {}, at_first={"full_name": account.name})
    session, _ = call.house.sessions.create(account.account_id, HostRef(creator.user_id), _fields(sent, None))
    return answer(200, _out(session))


def show(call: Call) -> Answer:
    """Show a session."""
    return answer(200, _out(event_of(call)))


def change(call: Call) -> Answer:
    """Change what is sent of a session, and leave the rest."""
    sent = reading.members(call.event.body)
    return answer(200, _out(_changed(call, lambda before: _fields(sent, before))))


def delete(call: Call) -> Answer:
    """Cancel a session."""
    session = event_of(call)
    call.house.sessions.cancel(session.account_id, session.session_id)
    return answer(200, _out(session))


def replays(call: Call) -> Answer:
    """List recordings, of which there are none."""
    event_of(call)
    return answer(200, [])


def add_person(call: Call) -> Answer:
    """Put somebody on a list."""
    kind = call.values["kind"].lower()
    who = needed(reading.members(call.event.body), kind)
    session = _changed(call, lambda before: {f"{kind}s": [*_people(before, kind), who]})
    return answer(200, _people(session, kind))


def remove_person(call: Call) -> Answer:
    """Take somebody off a list."""
    kind, who = call.values["kind"].lower(), named_alike(call.values["who"])

    def without(before: Session) -> dict[str, Any]:
        return {f"{kind}s": [entry for entry in _people(before, kind) if named_alike(entry) != who]}

    return answer(200, _people(_changed(call, without), kind))


def _people(session: Session, kind: str) -> list[str]:
    return list(session.presenters if kind == "presenter" else session.organizers)


def _changed(call: Call, wanted: Callable[[Session], Mapping[str, Any]]) -> Session:
    """Change an event by what it is now, again when somebody else was faster."""
    for _ in range(_ATTEMPTS):
        before = event_of(call)
        try:
            session, _gathering = call.house.sessions.change(
                before.account_id, before.session_id, wanted(before), seen=before.version
            )
        except VersionMismatchError:
            continue
        return session
    raise ConflictError("session_changed", "The event was changed at the same moment")


# --- from their names to ours, and back ---


def _fields(sent: Members, before: Session | None) -> dict[str, Any]:
    """Return an event's members as a session's fields; what is not sent stays."""
    fields: dict[str, Any] = {
        ours: text for theirs, ours in (("name", "title"), ("timezone", "time_zone")) if (text := sent.text(theirs))
    }
    fields |= _times(sent, before, fields.get("time_zone") or (before.time_zone if before else "UTC"))
    fields |= {name: sent.texts(name) for name in ("presenters", "organizers") if name in sent}
    if "metadata" in sent:
        fields["metadata"] = sent.mapping("metadata")
    if _REGISTERS in sent:
        known = before.registration if before else Registration()
        fields["registration"] = replace(known, public=sent.flag(_REGISTERS))
    if kept := _kept(sent):
        fields["extras"] = {**(before.extras if before else {}), **kept}
    return fields


def _kept(sent: Members) -> dict[str, str]:
    """Return what an event has and a session has not; an empty text takes away."""
    kept = {name: _flag(sent, name) for name in _FLAGS if name in sent}
    if "picture" in sent:
        kept["picture"] = sent.text("picture") or ""
    if kind := sent.text("type"):
        if kind not in TYPES:
            raise bad_request(f"type must be {' or '.join(TYPES)}")
        kept["type"] = kind
    return kept


def _times(sent: Members, before: Session | None, zone: str) -> dict[str, Any]:
    """Return when an event begins and how long it is; the end that is not sent stays where it is."""
    starts_at, ends_at = (_moment(sent, name, zone) for name in ("startDate", "endDate"))
    if starts_at is None and ends_at is None:
        return {}
    if starts_at is None:
        starts_at = before.starts_at if before else 0
    if ends_at is None:
        ends_at = before.ends_at if before else 0
    return {"starts_at": starts_at, "duration_minutes": -(-(ends_at - starts_at) // MINUTE)}


def _moment(sent: Members, name: str, zone: str) -> int | None:
    text = sent.text(name)
    if text is None:
        return None
    known = rules.sought(rules.time_zone, zone) or "UTC"  # an unknown one is refused as such
    try:
        moment = datetime.fromisoformat(text)
        return from_datetime((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(known))).astimezone(UTC))
    except (ValueError, OverflowError):
        raise bad_request(f"{name} must be a time such as 2027-01-31T09:00:00Z") from None


def _flag(sent: Members, name: str) -> str:
    """Return a truth value as it is kept; nothing for one that is sent as null."""
    return "" if sent.text(name) is None else str(sent.flag(name)).lower()


def _out(session: Session) -> dict[str, Any]:
    kept = session.extras
    return {
        "uid": session.session_id,
        "companyUid": session.account_id,
        "creatorUid": session.host_user_id,
        "name": session.title,
        "picture": kept.get("picture"),
        "startDate": to_rfc3339(session.starts_at),
        "endDate": to_rfc3339(session.ends_at),
        "timezone": session.time_zone,
        "type": kept.get("type", TYPES[0]),
        "metadata": json.loads(session.metadata) or None,
        "networkingHub": None,
        "presenters": list(session.presenters) or None,
        "organizers": list(session.organizers) or None,
        "isRegistrationModeEnabled": session.registration.public or (False if _REGISTERS in kept else None),
        "isAttendeeRegistrationModeEnabled": _flag_out(kept, "isAttendeeRegistrationModeEnabled"),
        "privateEventInfo": None,
        "closeCaptioningSettings": None,
    }


def _flag_out(kept: Mapping[str, str], name: str) -> bool | None:
    return kept[name] == "true" if name in kept else None
