"""``/s/{session_id}/register``: people sign up for a session, and their link comes by mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.domain.registrations import Outcome
from vestibule.errors import InvalidError
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.session import closed
from vestibule.http.pages.times import span

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Session

_HOUR = "3600"
_STATUS = {Outcome.TAKEN: 200, Outcome.CLOSED: 403, Outcome.FULL: 409, Outcome.BLOCKED: 429}


def registration(visit: Visit) -> Answer:
    """Show the form, or take what somebody has typed into it."""
    if visit.account is None:
        return visit.elsewhere()
    session = visit.house.entrances.session(visit.account.account_id, visit.event.path_values.get("session_id", ""))
    if session is None:
        return visit.page("session_unknown.html", status=404)
    logs.about(account_id=session.account_id, session_id=session.session_id)
    over = closed(visit, session)
    if over is not None:
        return over
    if not visit.house.registrations.is_open(session):
        return _outcome(visit, Outcome.CLOSED)
    if visit.event.method != "POST":
        return _form(visit, session)
    return _taken(visit, session)


def _taken(visit: Visit, session: Session) -> Answer:
    form = visit.event.form()
    if not (visit.is_same_origin() and visit.house.registrations.is_form(session, form.get("form_token", ""))):
        back = addresses.register_path(session.session_id)
        return visit.page("form_refused.html", status=403, back_url=back)
    name, email = form.get("name", ""), form.get("email", "")
    try:
        outcome = visit.house.registrations.register(session, name, email, address=visit.event.address)
    except InvalidError as refused:
        problems = {one.field for one in refused.errors}
        return _form(visit, session, problems=problems, status=422, name=name, email=email)
    logs.log.info("registration", outcome=outcome.value)
    return _outcome(visit, outcome)


def _outcome(visit: Visit, outcome: Outcome) -> Answer:
    headers = {"Retry-After": _HOUR} if outcome is Outcome.BLOCKED else {}
    return visit.page("registered.html", status=_STATUS[outcome], headers=headers, outcome=outcome.value)


def _form(
    visit: Visit,
    session: Session,
    *,
    problems: set[str] | None = None,
    status: int = 200,
    name: str = "",
    email: str = "",
) -> Answer:
    return visit.page(
        "register.html",
        status=status,
        session_title=session.title,
        when=span(visit.texts, session),
        action=addresses.register_path(session.session_id),
        form_token=visit.house.registrations.form_token(session),
        problems=problems or set(),
        name=name,
        email=email,
    )
