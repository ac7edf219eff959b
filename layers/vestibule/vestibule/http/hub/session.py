"""A session as somebody sees it who has come to it, by whatever way: waiting, open, or closed.

Looking changes nothing: who goes in posts a form.  The answer sends the browser to the
account's stage with a grant of a few minutes, and gives it a pass for the way back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vestibule.clock import HOUR, MINUTE, SECOND, to_rfc3339
from vestibule.domain.phases import CLOSED, ENTERED, Phase, opens_at, phase_of
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import json_answer, not_yet, redirect
from vestibule.http.pages.times import clock_time, span
from vestibule.model import ParticipantRole, SessionStatus

if TYPE_CHECKING:
    from vestibule.domain.entrances import Arrival
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Account, Session

_LAUNCH = "launch"
_TURNED_AWAY = "turned_away"
_GONE = 410
_JSON = "application/json"

_PASS = "__Host-vestibule-pass-"  # noqa: S105 - the cookie's name, before the session's id
_PASS_RULES = "Path=/; Secure; HttpOnly; SameSite=Lax"  # noqa: S105

_ASK_AGAIN = ((HOUR, 5 * MINUTE), (5 * MINUTE, 30 * SECOND))
"""Until how long before the opening an open page asks how often."""
_ASK_AGAIN_LAST = 10 * SECOND


def visit_to(visit: Visit, arrival: Arrival, path: str, *, return_path: str | None = None) -> Answer:
    """Answer somebody who has come to a session: show it, or let them in when they posted.

    Parameters
    ----------
    path
        The page's own address, without a query.
    return_path
        Where the stage sends them back to; the session's page when left out.
    """
    session = arrival.session
    logs.about(account_id=session.account_id, session_id=session.session_id)
    if visit.event.method != "POST":
        is_ahead = visit.event.method == "GET" and visit.event.is_speculative
        # A page that a browser makes ahead of the click would start with nobody there.
        return not_yet() if is_ahead and _is_launch(visit) else _shown(visit, arrival, path)
    if not visit.is_own_form():
        return visit.page("form_refused.html", status=403, back_url=_here(visit, path))
    return _started(visit, arrival, path, return_path or addresses.session_path(session.session_id))


def closed(visit: Visit, session: Session) -> Answer | None:
    """Say that a session is over or cancelled, to whomever; None while it is neither."""
    phase = phase_of(session, visit.house.clock())
    if phase not in CLOSED:
        return None
    return visit.page("session_closed.html", status=_GONE, is_cancelled=phase is Phase.CANCELLED)


def state(visit: Visit, session: Session | None) -> Answer:
    """Tell an open page where the session is, and when to ask again; says nothing of anybody."""
    if session is None:
        return json_answer(json.dumps({"phase": "gone", "version": 0, "again_in": _ASK_AGAIN_LAST}))
    now = visit.house.clock()
    found = {
        "phase": phase_of(session, now),
        "version": session.version,
        "opens_in": max(0, opens_at(session) - now),
        "again_in": _again_in(session, now),
    }
    return json_answer(json.dumps(found))


def pass_in(visit: Visit, session_id: str) -> str | None:
    """Return the pass that a browser carries for a session; unproven until checked."""
    return visit.event.cookies.get(_PASS + session_id)


def pass_cookie(visit: Visit, arrival: Arrival) -> str:
    """Return the Set-Cookie that lets a browser come back to this session until it is over."""
    session = arrival.session
    seconds = max(0, session.ends_at + HOUR - visit.house.clock()) // SECOND
    text = visit.house.entrances.pass_of(arrival)
    return f"{_PASS}{session.session_id}={text}; {_PASS_RULES}; Max-Age={seconds}"


def form_token(visit: Visit) -> str:
    """Return what a form of this page carries, ``""`` without a sign-in; see `Visit.is_own_form`."""
    return visit.credential.form_token if visit.credential else ""


def _shown(visit: Visit, arrival: Arrival, path: str) -> Answer:
    session = arrival.session
    refused = closed(visit, session)
    if refused is not None:
        return refused
    account = _account(visit)
    if _TURNED_AWAY in visit.event.folded_query:
        return visit.page("turned_away.html", here=_here(visit, path), form_token=None)
    now = visit.house.clock()
    phase = phase_of(session, now)
    is_admitted = _is_admitted(visit, arrival)
    is_open = phase in ENTERED or is_admitted
    opens_in = max(0, opens_at(session) - now)
    return visit.page(
        "session.html",
        session_title=session.title,
        when=span(visit.texts, session),
        person_name=arrival.name,
        role=arrival.role.value,
        phase=phase.value,
        version=session.version,
        opens_in=None if is_open else opens_in,
        opens_at=clock_time(visit.texts, opens_at(session), session.time_zone),
        opening=to_rfc3339(opens_at(session)),
        again_in=_again_in(session, now),
        state_url=f"{addresses.session_path(session.session_id)}/state",
        here=_here(visit, path),
        action=_without_launch(visit, path),
        form_token=form_token(visit),
        ticket=visit.house.waiting.ticket(arrival) if not is_admitted else None,
        waiting_url=f"{addresses.session_path(session.session_id)}/waiting",
        refresh_seconds=min(opens_in // SECOND + 1, 60),
        has_stage=account.stage is not None,
        is_host=arrival.role is ParticipantRole.HOST,
        launch=_launch(visit, account, arrival),
    )


def _launch(visit: Visit, account: Account, arrival: Arrival) -> str:
    """Return how the page treats ``launch=1``, as the template's code.

    ``no``: not asked for; ``start``: by itself; ``application``: a click is needed, because the
    stage opens an application; ``confirm``: the same, because the person is not among the participants.
    """
    if not _is_launch(visit):
        return "no"
    if not arrival.is_expected:
        return "confirm"
    return "application" if account.stage is not None and account.stage.opens_application else "start"


def _is_launch(visit: Visit) -> bool:
    return visit.event.folded_query.get(_LAUNCH) == "1"


def _started(visit: Visit, arrival: Arrival, path: str, return_path: str) -> Answer:
    """Send somebody to the stage: an address for the page's script, a page that moves on without it."""
    account = _account(visit)
    is_script = _JSON in visit.event.headers.get("accept", "")
    is_open = phase_of(arrival.session, visit.house.clock()) in ENTERED or _is_admitted(visit, arrival)
    if account.stage is None or not is_open:
        # Not (any longer) what the page showed when the form was sent: show what is.
        here = _without_launch(visit, path)
        return json_answer(json.dumps({"reload": True})) if is_script else redirect(here)
    return_url = visit.house.settings.hub_url(visit.slug) + return_path
    launch = visit.house.stages.launch(account, account.stage, arrival, return_url=return_url)
    logs.log.info("let in", role=arrival.role.value, stage=account.stage.kind.value)
    cookies = [pass_cookie(visit, arrival)]
    if is_script:
        answer = json_answer(json.dumps({"url": launch.url}))
        return answer | {"multiValueHeaders": {"Set-Cookie": cookies}}
    return visit.page(
        "launch.html",
        stage_url=launch.url,
        opens_application=launch.opens_application,
        back_url=return_path,
        cookies=cookies,
    )


def _is_admitted(visit: Visit, arrival: Arrival) -> bool:
    """Tell whether somebody was let in before the doors open."""
    if arrival.session.room_id is None or phase_of(arrival.session, visit.house.clock()) is not Phase.UPCOMING:
        return False
    return visit.house.waiting.is_admitted(arrival)


def _again_in(session: Session, now: int) -> int:
    """Return after how many milliseconds an open page asks again: rarely, as long as there is time."""
    if session.status is not SessionStatus.SCHEDULED:
        return _ASK_AGAIN[-1][1]
    left = opens_at(session) - now
    return next((pause for ahead, pause in _ASK_AGAIN if left > ahead), _ASK_AGAIN_LAST if left > 0 else 30 * SECOND)


def _here(visit: Visit, path: str) -> str:
    return addresses.with_query(path, addresses.carried(visit.event.folded_query))


def _without_launch(visit: Visit, path: str) -> str:
    kept = {name: value for name, value in addresses.carried(visit.event.folded_query).items() if name != _LAUNCH}
    return addresses.with_query(path, kept)


def _account(visit: Visit) -> Account:
    assert visit.account is not None  # noqa: S101 - nobody arrives on a host without an account
    return visit.account
