"""``/u/{slug}``: a room's door, where people wait until one of the room's users lets them in.

The page of a session that is planned in the room says at ``/s/{session_id}/waiting`` that it is open.

Coming in is a form; from then on the page says every few seconds that it is there, and goes in or
shows the refusal as soon as there is one.  Without scripts it loads itself again instead.  What the
browser keeps is a cookie for one place in one room: whoever takes another place gives that one up.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from vestibule.clock import DAY, MINUTE, SECOND
from vestibule.domain.phases import CLOSED, phase_of
from vestibule.domain.rules import RuleError
from vestibule.domain.sign_ins import Present
from vestibule.domain.waiting import ASK_AGAIN, RoomFullError, WaitingToken
from vestibule.errors import NotFoundError
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import json_answer, redirect, set_cookie
from vestibule.model import WaitingState
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Account, Room, User, Waiter

_STATE = "/u/{slug}/state"
_SESSION = "/s/{session_id}/waiting"
_COOKIE = "__Host-vestibule-waiting"
_LAUNCH = "launch"
_NOBODY = "gone"
_RARELY = MINUTE
"""Milliseconds after which a page asks again for which nobody waits yet, or any more."""
_REFRESH_SECONDS = 8
"""How often a page without scripts loads itself again."""
_FORBIDDEN = 403
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_TOO_MANY = 429
_CONFLICT = 409


def room_door(visit: Visit) -> Answer:
    """Ask who comes, let them wait, and send them in."""
    if visit.account is None:
        return visit.elsewhere()
    if visit.event.resource == _STATE:
        return _state(visit, visit.account)
    if visit.event.resource == _SESSION:
        return _session_state(visit, visit.account)
    slug = visit.event.path_values.get("slug", "")
    domain = visit.event.folded_query.get("domain") or visit.house.settings.hub_host(visit.slug)
    room = visit.house.waiting.room_at(visit.account.account_id, domain, slug)
    if room is None:
        return visit.page("room_unknown.html", status=_NOT_FOUND)
    logs.about(account_id=room.account_id)
    if visit.event.method == "POST":
        return _answer_form(visit, visit.account, room)
    return _shown(visit, visit.account, room)


def _shown(visit: Visit, account: Account, room: Room) -> Answer:
    """Show where somebody is: in front of the door, waiting, or on the way in."""
    token = _token(visit)
    # A page without scripts comes back by itself: that keeps a place, and nobody signed in.
    user = _user(visit, is_activity=token is None)
    is_held = token is not None and token.room_id == room.room_id and _is_whose(token, user)
    if token is None or not is_held:
        return _asked(visit, room, user)
    waiter = visit.house.waiting.hear(account.account_id, token)
    if waiter is None or _has_been_received(visit, account, waiter):
        return _asked(visit, room, user)
    if waiter.state is WaitingState.TURNED_AWAY:
        return _page(visit, room, "turned_away.html")
    way_in = _way_in(visit, waiter)
    if way_in is not None:
        return redirect(way_in)
    return _page(
        visit,
        room,
        "waiting.html",
        person_name=waiter.name,
        receivers=visit.house.waiting.receivers(room),
        minutes=(visit.house.clock() - waiter.since) // MINUTE,
        is_admitted=waiter.state is WaitingState.ADMITTED,
        state_url=f"{addresses.ROOM}/{quote(room.slug, safe='')}/state",
        again_in=ASK_AGAIN,
        refresh_seconds=_REFRESH_SECONDS,
    )


def _state(visit: Visit, account: Account) -> Answer:
    """Tell a page that waits what has become of its person; asking keeps the place."""
    token = _token(visit) if visit.is_own_visitor_form() else None
    waiter = visit.house.waiting.hear(account.account_id, token) if token else None
    way_in = _way_in(visit, waiter) if waiter else None
    if token is not None and way_in is not None and not _is_whose(token, _user(visit, is_activity=False)):
        waiter = way_in = None  # signed out meanwhile: nobody else at this screen goes in
    found: dict[str, Any] = {"state": waiter.state if waiter else _NOBODY, "again_in": ASK_AGAIN}
    return json_answer(json.dumps(found | ({"url": way_in} if way_in else {})))


def _session_state(visit: Visit, account: Account) -> Answer:
    """Tell the open page of a session what was decided about its person; asking shows that they are there."""
    house, ticket = visit.house, visit.event.form().get("ticket", "")
    session_id = visit.event.path_values.get("session_id", "")
    if not visit.is_own_form():
        return json_answer(json.dumps({"state": _NOBODY, "again_in": _RARELY}))
    session = house.entrances.session(account.account_id, session_id, consistent=False)
    waiter = house.waiting.hear_ticket(session, ticket) if session else None
    again_in = ASK_AGAIN if session and house.waiting.counts(session) else _RARELY
    return json_answer(json.dumps({"state": waiter.state if waiter else _NOBODY, "again_in": again_in}))


def _has_been_received(visit: Visit, account: Account, waiter: Waiter) -> bool:
    """Tell whether the session that a walk-in was admitted to is over or cancelled: now they come anew."""
    if waiter.state is not WaitingState.ADMITTED or not waiter.is_walk_in or waiter.session_id is None:
        return False
    session = visit.house.entrances.session(account.account_id, waiter.session_id)
    return session is not None and phase_of(session, visit.house.clock()) in CLOSED


def _way_in(visit: Visit, waiter: Waiter) -> str | None:
    """Return where somebody goes who was admitted, None as long as they were not, or it is not open yet."""
    if waiter.state is not WaitingState.ADMITTED or waiter.session_id is None:
        return None
    if not waiter.is_walk_in:
        return addresses.session_page(waiter.session_id)
    if waiter.participant_id is None or visit.account is None:
        return None
    house = visit.house
    try:
        _, participant = house.participants.get(visit.account.account_id, waiter.session_id, waiter.participant_id)
    except NotFoundError:  # removed meanwhile: the session's page says what still can be done
        return addresses.session_path(waiter.session_id)
    return addresses.with_query(f"/p/{house.links.personal_token(participant)}", {_LAUNCH: "1"})


def _answer_form(visit: Visit, account: Account, room: Room) -> Answer:
    """Let somebody wait, or go."""
    if not visit.is_own_visitor_form():
        return visit.page("form_refused.html", status=_FORBIDDEN, back_url=_here(visit, room))
    held = _token(visit)
    if visit.event.form().get("action") == "leave":
        if held is not None:
            visit.house.waiting.leave(account.account_id, held)
        return redirect(_here(visit, room), cookies=[_cookie("", 0)])
    user = _user(visit)
    if user is not None and user.user_id in room.user_ids:
        return _asked(visit, room, user)
    return _come_in(visit, room, user, held)


def _come_in(visit: Visit, room: Room, user: User | None, held: WaitingToken | None) -> Answer:
    """Take somebody into the room's list, or say why not."""
    house, name = visit.house, visit.event.form().get("name", "")
    try:
        token = house.waiting.come_in(room, name=name, user=user, address=visit.event.address)
    except RuleError:
        return _asked(visit, room, user, problem="name", status=_UNPROCESSABLE, name=name)
    except BlockedError as blocked:
        logs.log.info("too many unknown people at a room")
        headers = {"Retry-After": str(-(-(blocked.until - house.clock()) // SECOND))}
        return _asked(visit, room, user, problem="blocked", status=_TOO_MANY, name=name, headers=headers)
    except RoomFullError:
        logs.log.warning("room is full")
        headers = {"Retry-After": str(5 * MINUTE // SECOND)}
        return _asked(visit, room, user, problem="full", status=_CONFLICT, name=name, headers=headers)
    if held is not None and (held.room_id, held.key) != (token.room_id, token.key):
        house.waiting.leave(room.account_id, held)
    logs.log.info("waits in a room")
    return redirect(_here(visit, room), cookies=[_cookie(str(token), DAY // SECOND)])


def _asked(
    visit: Visit,
    room: Room,
    user: User | None,
    *,
    problem: str = "",
    status: int = 200,
    name: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask who comes; somebody who is signed in is known."""
    starts = visit.event.folded_query.get(_LAUNCH) == "1"
    back = _here(visit, room, **({_LAUNCH: "1"} if starts else {}))
    return _page(
        visit,
        room,
        "room_door.html",
        status=status,
        headers=headers,
        receivers=visit.house.waiting.receivers(room),
        person_name=user.full_name if user else None,
        is_receiver=user is not None and user.user_id in room.user_ids,
        sign_in_url=None if user else addresses.with_query(addresses.SIGN_IN, {"next": back}),
        starts=starts and user is not None and not problem,
        problem=problem,
        name=name,
    )


def _page(visit: Visit, room: Room, template: str, **values: Any) -> Answer:
    return visit.page(
        template,
        cookies=visit.visitor_cookies,
        room_name=room.name,
        here=_here(visit, room),
        form_token=visit.visitor_token,
        **values,
    )


def _user(visit: Visit, *, is_activity: bool = True) -> User | None:
    present = visit.sign_in(is_activity=is_activity)
    return present.user if isinstance(present, Present) else None


def _token(visit: Visit) -> WaitingToken | None:
    return WaitingToken.parse(visit.event.cookies.get(_COOKIE))


def _is_whose(token: WaitingToken, user: User | None) -> bool:
    """Tell whether a place is the browser's own: a user's is it only while they are signed in here."""
    return token.user_id is None or (user is not None and user.user_id == token.user_id)


def _cookie(value: str, seconds: int) -> str:
    return set_cookie(_COOKIE, value, seconds=seconds)


def _here(visit: Visit, room: Room, **parameters: str) -> str:
    return addresses.room_door(room, visit.house.settings.hub_host(visit.slug), **parameters)
