"""``/dashboard``: the signed-in person's own page, with their sessions by day.

``scrollTo`` names a session, which is brought into view and marked; with
``launch=1`` it is started by the page's script once the page is there.  A session
that is not the person's own is ignored with a word.  An account with
``launch_panel_only`` shows the panel of that one session and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.domain import moments
from vestibule.domain.hosting import may_schedule
from vestibule.domain.phases import Phase, opens_at
from vestibule.domain.sign_ins import Present
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from vestibule.domain.agenda import Agenda, Day, Entry
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

LAUNCH = "1"
_FORBIDDEN = 403
_PAGE = "page"


def dashboard(visit: Visit) -> Answer:
    """Show the person's sessions, or send the browser to where somebody can sign in."""
    if visit.account is None:
        return visit.elsewhere()
    found = visit.sign_in()
    if not isinstance(found, Present):
        return visit.sent_on(found)
    logs.about(account_id=found.user.account_id, user_id=found.user.user_id)
    shared: dict[str, Any] = {
        "now": visit.house.clock(),
        "person_name": found.user.full_name,
        "form_token": found.credential.form_token,
        "login": found.login.key,
    }
    if visit.account.launch_panel_only:
        return _panel(visit, found, shared)
    query = visit.event.folded_query
    agenda = visit.house.agendas.of(found.user, named=query.get("scrollto"), page=query.get(_PAGE))
    return visit.page(
        "dashboard.html",
        idle_minutes=visit.account.idle_timeout_minutes,
        notices=_notices(visit, found, agenda),
        zone=agenda.zone.key,
        days=[_day(day, agenda) for day in ((agenda.apart, *agenda.days) if agenda.apart else agenda.days)],
        launch_url=_launch_url(agenda, query),
        is_first=_PAGE not in query,
        plan_url=addresses.PLAN if may_schedule(found.user) else None,
        receives=found.user.role is Role.PROVIDER,
        next_url=addresses.with_query(addresses.DASHBOARD, {_PAGE: agenda.following}) if agenda.following else None,
        **shared,
    )


def _panel(visit: Visit, present: Present, shared: Mapping[str, Any]) -> Answer:
    """Show the panel of the session that the link names; there is nothing else here to be had."""
    query = visit.event.folded_query
    agenda = visit.house.agendas.one(present.user, query.get("scrollto", ""))
    if agenda.apart is None:
        return visit.page("panel_only.html", status=_FORBIDDEN, **shared)
    return visit.page(
        "launch_panel.html",
        notices=_notices(visit, present, agenda),
        zone=agenda.zone.key,
        day=_day(agenda.apart, agenda),
        launch_url=_launch_url(agenda, query),
        **shared,
    )


def _notices(visit: Visit, present: Present, agenda: Agenda) -> list[str]:
    """Return what the person should know about how they came here, as the template's codes."""
    query = visit.event.folded_query
    meant = visit.event.path_values.get("user_id") or query.get("user")
    phase = agenda.named.phase if agenda.named else None
    found = {
        "switched": "switched" in query,
        "other_person": bool(meant) and meant != present.user.user_id,
        "other_session": "scrollto" in query and agenda.named is None,
        "session_over": _asks_to_launch(query) and phase is Phase.OVER,
        "session_cancelled": phase is Phase.CANCELLED,
    }
    return [code for code, applies in found.items() if applies]


def _asks_to_launch(query: Mapping[str, str]) -> bool:
    return query.get("launch") == LAUNCH


def _launch_url(agenda: Agenda, query: Mapping[str, str]) -> str | None:
    """Return where the page's script goes by itself, None when it stays."""
    named = agenda.named
    if named is None or not named.is_joinable or not _asks_to_launch(query):
        return None
    return addresses.session_page(named.session.session_id)


def _day(day: Day, agenda: Agenda) -> dict[str, Any]:
    """Return a day as the template shows it."""
    named = agenda.named.session.session_id if agenda.named else None
    return {
        "date": day.date,
        "distance": day.distance,
        "is_apart": day is agenda.apart,
        "sessions": [_session(entry, agenda.zone, is_named=entry.session.session_id == named) for entry in day.entries],
    }


def _session(entry: Entry, zone: ZoneInfo, *, is_named: bool) -> dict[str, Any]:
    """Return a session as the template shows it; its times are those of the zone and, for the script, moments."""
    session = entry.session
    begins, ends = (moments.local(moment, zone) for moment in (session.starts_at, session.ends_at))
    return {
        "id": session.session_id,
        "title": session.title,
        "begins": begins,
        "ends": ends,
        "ends_days_later": (ends.date() - begins.date()).days,
        "minutes": session.duration_minutes,
        "moments": (opens_at(session), session.starts_at, session.ends_at),
        "state": entry.phase.value,
        "is_host": entry.is_host,
        "host_name": entry.host_name,
        "people": entry.people,
        "more": entry.more,
        "is_named": is_named,
        "manage_url": addresses.plan_of(session.session_id) if entry.is_host else None,
        "join_url": addresses.session_page(session.session_id) if entry.is_joinable else None,
    }
