"""``/plan``: a person plans a session, which they then host; and the way to what they host already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.domain.hosting import may_schedule
from vestibule.domain.sessions import HostRef
from vestibule.http import logs
from vestibule.http.hub import addresses, manage
from vestibule.http.hub.desk import at_desk
from vestibule.http.hub.plan_form import (
    LIMITS,
    REFUSED,
    ROLES,
    TYPED_BEFORE,
    PeopleForm,
    SessionForm,
    refusal,
    zones,
)
from vestibule.http.hub.visit import redirect

if TYPE_CHECKING:
    from typing import Any

    from vestibule.http.event import Answer
    from vestibule.http.hub.desk import Desk
    from vestibule.http.hub.plan_form import Problems
    from vestibule.http.hub.visit import Visit

_FORBIDDEN = 403
_UNPROCESSABLE = 422
_COUNTERS = {
    "/plan/{session_id}": manage.overview,
    "/plan/{session_id}/{step}": manage.step,
    "/plan/{session_id}/participants/{participant_id}/{step}": manage.step_of_participant,
}


def plan(visit: Visit) -> Answer:
    """Answer whatever is asked of somebody who plans or hosts."""
    return at_desk(visit, _COUNTERS.get(visit.event.resource, schedule))


def schedule(desk: Desk) -> Answer:
    """Show the form of a new session, or plan the session."""
    if not may_schedule(desk.user):
        return desk.page("host_only.html", status=_FORBIDDEN, is_session=False)
    if desk.draft is not None:
        return _show(desk, SessionForm.read(desk.draft), PeopleForm.read(desk.draft), TYPED_BEFORE)
    if not desk.is_post:
        fresh = SessionForm.fresh(desk.user.time_zone, desk.house.clock())
        return _show(desk, fresh, PeopleForm())
    typed, people = SessionForm.read(desk.form), PeopleForm.read(desk.form)
    if people.grown_from is not None:
        return _show(desk, typed, people)
    fields, problems = typed.fields()
    problems |= people.problems([(desk.user.full_name, desk.user.email)] if desk.user.email else ())
    if problems:
        return _show(desk, typed, people, problems, status=_UNPROCESSABLE)
    return _planned(desk, typed, people, fields)


def _planned(desk: Desk, typed: SessionForm, people: PeopleForm, fields: dict[str, Any]) -> Answer:
    """Plan the session, once however often the form is sent."""
    sessions, account_id, invitees = desk.house.sessions, desk.account.account_id, people.invitees()
    host = HostRef(user_id=desk.user.user_id)
    try:
        session, _ = desk.once(
            lambda session_id: sessions.create(account_id, host, fields, invitees, session_id),
            lambda session_id: sessions.whole(account_id, session_id),
            created_at=lambda made: made[0].created_at,
        )
    except REFUSED as error:
        return _show(desk, typed, people, **refusal(desk, error, people))
    logs.about(session_id=session.session_id)
    logs.log.info("session planned in the hub")
    return redirect(addresses.with_query(addresses.plan_of(session.session_id), {"done": "planned"}))


def _show(
    desk: Desk,
    typed: SessionForm,
    people: PeopleForm,
    problems: Problems | None = None,
    *,
    status: int = 200,
    **values: Any,
) -> Answer:
    return desk.page(
        "plan.html",
        status=status,
        typed=typed,
        people=people,
        roles=ROLES,
        problems=problems or {},
        zones=zones(typed.zone),
        limits=LIMITS,
        **values,
    )
