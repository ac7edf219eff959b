"""A session as somebody sees it who has come to it, by whatever way: waiting, open, or closed.

Looking changes nothing: who goes in posts a form.  That takes the person's one seat in
the session, and the answer holds a grant of a few minutes for the account's stage.  The
page shows the stage in place and stays around it, saying every few seconds that it is
there; only a stage that cannot be framed is gone to.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from vestibule.clock import HOUR, MINUTE, SECOND, to_rfc3339
from vestibule.domain.entrances import PASS_OUTLIVES_SESSION_BY
from vestibule.domain.phases import CLOSED, ENTERED, Phase, opens_at, phase_of
from vestibule.domain.seats import Unseated
from vestibule.domain.stages import is_in_place
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import PASS_COOKIE, json_answer, not_yet, redirect, set_cookie
from vestibule.http.pages.times import clock_time, span
from vestibule.model import Entrance, ParticipantRole, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.domain.entrances import Arrival
    from vestibule.domain.seats import Seated
    from vestibule.domain.stages import Launch as StageLaunch
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Account, Session

_LAUNCH = "launch"
_CONFLICT = 409
_TURNED_AWAY = "turned_away"
_GONE = 410
_JSON = "application/json"

_WITHOUT_PASS = frozenset({Entrance.EMBED, Entrance.DASHBOARD})
"""Who comes by these comes back by what they came with: a frame keeps no cookie, and a pass would outlive a sign-in."""

_NOW_AND_THEN = 30 * SECOND
_SOON = 10 * SECOND
_ASK_AGAIN = ((HOUR, 5 * MINUTE), (5 * MINUTE, _NOW_AND_THEN), (0, _SOON))
"""As long as there is more time than that until the opening: how often an open page asks."""


class Launch(StrEnum):
    """When a page starts the session by itself."""

    NO = "no"
    START = "start"
    """As soon as it is open."""
    FRAMED = "framed"
    """The same in a frame, which no scanner of mails puts around a link; a click is needed elsewhere."""
    APPLICATION = "application"
    """A click is needed, because the stage opens an application."""
    CONFIRM = "confirm"
    """A click is needed, because the person is not among the participants."""


def visit_to(
    visit: Visit,
    arrival: Arrival,
    path: str,
    *,
    return_path: str | None = None,
    launch: Launch = Launch.NO,
) -> Answer:
    """Answer somebody who has come to a session: show it, or let them in when they posted.

    Parameters
    ----------
    path
        The page's own address, without a query.
    return_path
        Where they go on to afterwards; the session's page when left out.
    launch
        See `shown`.
    """
    session = arrival.session
    logs.about(account_id=session.account_id, session_id=session.session_id)
    if visit.event.method != "POST":
        is_ahead = visit.event.method == "GET" and visit.event.is_speculative
        # A page that a browser makes ahead of the click would start with nobody there.
        asks = launch is not Launch.NO or _is_launch(visit)
        if is_ahead and asks:
            return not_yet()
        return shown(visit, arrival, path, return_path=return_path, launch=launch)
    if not visit.is_own_form():
        return visit.page("form_refused.html", status=403, back_url=_here(visit, path))
    return started(visit, arrival, path, return_path)


def closed(visit: Visit, session: Session) -> Answer | None:
    """Say that a session is over or cancelled, to whomever; None while it is neither."""
    phase = phase_of(session, visit.house.clock())
    if phase not in CLOSED:
        return None
    return visit.page("session_closed.html", status=_GONE, is_cancelled=phase is Phase.CANCELLED)


def state(visit: Visit, session: Session | None) -> Answer:
    """Tell an open page where the session is, and when to ask again; says nothing of anybody."""
    if session is None:
        return json_answer(json.dumps({"phase": "gone", "version": 0, "again_in": _SOON}))
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
    return visit.event.cookies.get(PASS_COOKIE + session_id)


def pass_cookie(visit: Visit, arrival: Arrival) -> str:
    """Return the Set-Cookie that lets a browser come back to this session until it is over."""
    session = arrival.session
    seconds = max(0, session.ends_at + PASS_OUTLIVES_SESSION_BY - visit.house.clock()) // SECOND
    text = visit.house.entrances.pass_of(arrival)
    return set_cookie(PASS_COOKIE + session.session_id, text, seconds=seconds)


def framed_stage(account: Account) -> str | None:
    """Return the address of a stage that pages show in place, None when there is none to show."""
    return account.stage.url if account.stage and is_in_place(account.stage) else None


def form_token(visit: Visit) -> str:
    """Return what a form of this page carries, ``""`` without a sign-in; see `Visit.is_own_form`."""
    return visit.credential.form_token if visit.credential else ""


def shown(
    visit: Visit,
    arrival: Arrival,
    path: str,
    *,
    return_path: str | None = None,
    launch: Launch = Launch.NO,
    fields: Mapping[str, str] | None = None,
) -> Answer:
    """Show a session to somebody who may go in.

    Parameters
    ----------
    launch
        When the page starts the session by itself, unless ``launch=1`` asks for it.
    fields
        What the form holds beside its token.
    """
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
        ticket=None if is_admitted or arrival.entrance is Entrance.EMBED else visit.house.waiting.ticket(arrival),
        waiting_url=f"{addresses.session_path(session.session_id)}/waiting",
        refresh_seconds=min(opens_in // SECOND + 1, 60),
        has_stage=account.stage is not None,
        is_host=arrival.role is ParticipantRole.HOST,
        launch=_launch(visit, account, arrival, launch).value,
        session_id=session.session_id,
        login=visit.credential.key if visit.credential and arrival.entrance is Entrance.DASHBOARD else None,
        fields=fields or {},
        return_path=return_path,
        picture=arrival.picture,
        pictures=arrival.picture is not None,
        stage_url=framed_stage(account),
    )


def _launch(visit: Visit, account: Account, arrival: Arrival, wanted: Launch) -> Launch:
    """Return when the page starts the session by itself."""
    if wanted is Launch.NO and not _is_launch(visit):
        return Launch.NO
    if not arrival.is_expected:
        return Launch.CONFIRM
    if account.stage is not None and account.stage.opens_application:
        return Launch.APPLICATION
    return Launch.START if _is_launch(visit) else wanted


def _is_launch(visit: Visit) -> bool:
    return visit.event.folded_query.get(_LAUNCH) == "1"


def started(visit: Visit, arrival: Arrival, path: str, return_path: str | None = None) -> Answer:
    """Seat somebody and open the stage: in the page by its script, else on a page that moves on by itself."""
    account, session = _account(visit), arrival.session
    stage = account.stage
    is_script = _JSON in visit.event.headers.get("accept", "")
    is_open = phase_of(session, visit.house.clock()) in ENTERED or _is_admitted(visit, arrival)
    if stage is None or not is_open:
        # Not (any longer) what the page showed when the form was sent: show what is.
        return json_answer(json.dumps({"reload": True})) if is_script else redirect(_without_launch(visit, path))
    after = _left_path(session) if is_script and is_in_place(stage) else return_path
    back = after or addresses.session_path(session.session_id)
    # Before the seat: should a key be out of reach, nobody must find the seat taken by themselves.
    launch = visit.house.stages.launch(
        account, stage, arrival, return_url=visit.house.settings.hub_url(visit.slug) + back
    )
    held = visit.event.form().get("held")
    seated = visit.house.seats.take(account, session, arrival.person, arrival.entrance, held=held)
    if isinstance(seated, Unseated):
        return _unseated(visit, seated, path, is_script=is_script)
    logs.log.info("let in", role=arrival.role.value, stage=stage.kind.value, entrance=arrival.entrance.value)
    cookies = [] if arrival.entrance in _WITHOUT_PASS else [pass_cookie(visit, arrival)]
    if is_script:
        return _launched(launch, seated) | {"multiValueHeaders": {"Set-Cookie": cookies} if cookies else {}}
    return visit.page(
        "launch.html",
        stage_url=None,
        launch_url=launch.url,
        opens_application=launch.opens_application,
        back_url=back,
        cookies=cookies,
    )


def _launched(launch: StageLaunch, seated: Seated) -> Answer:
    """Tell the page's script where the stage is, and what to say of the seat from now on."""
    return json_answer(
        json.dumps(
            {
                "url": launch.url,
                "in_place": launch.in_place,
                "stays": launch.in_place or launch.opens_application,
                "seat": str(seated.token),
                "role": seated.seat.role,
                "interval": seated.interval,
            }
        )
    )


def _unseated(visit: Visit, unseated: Unseated, path: str, *, is_script: bool) -> Answer:
    """Say why somebody may not sit down."""
    logs.log.info("not seated", reason=unseated.reason.value)
    if is_script:
        return json_answer(json.dumps({"unseated": unseated.reason.value}))
    return visit.page("seat_refused.html", status=_CONFLICT, action=_without_launch(visit, path))


def _left_path(session: Session) -> str:
    return f"{addresses.session_path(session.session_id)}/left"


def _is_admitted(visit: Visit, arrival: Arrival) -> bool:
    """Tell whether somebody was let in before the doors open."""
    if arrival.session.room_id is None or phase_of(arrival.session, visit.house.clock()) is not Phase.UPCOMING:
        return False
    return visit.house.waiting.is_admitted(arrival)


def _again_in(session: Session, now: int) -> int:
    """Return after how many milliseconds an open page asks again: rarely, as long as there is time."""
    if session.status is not SessionStatus.SCHEDULED:
        return _NOW_AND_THEN
    left = opens_at(session) - now
    return next((pause for ahead, pause in _ASK_AGAIN if left > ahead), _NOW_AND_THEN)


def _here(visit: Visit, path: str) -> str:
    return addresses.with_query(path, addresses.carried(visit.event.folded_query))


def _without_launch(visit: Visit, path: str) -> str:
    kept = {name: value for name, value in addresses.carried(visit.event.folded_query).items() if name != _LAUNCH}
    return addresses.with_query(path, kept)


def _account(visit: Visit) -> Account:
    assert visit.account is not None  # noqa: S101 - nobody arrives on a host without an account
    return visit.account
