"""``/dashboard/rooms``: a user's rooms, who waits there, and letting them in or turning them away.

The page stands by itself, without scripts too; the dashboard shows the same list, which its script
asks for as a part of a page (``part=1``).  Asking for it keeps nobody signed in.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vestibule.clock import MINUTE
from vestibule.domain.admission import NotWaitingError
from vestibule.domain.sign_ins import Over, Present
from vestibule.errors import NotFoundError
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import json_answer, redirect

if TYPE_CHECKING:
    from typing import Any

    from vestibule.domain.admission import Reception
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Waiter

_PART = "part"
_AGAIN = "again"
_GONE = "gone"
_JSON = "application/json"
_FORBIDDEN = 403
_NOT_FOUND = 404
_REFRESH_SECONDS = 10
"""How often a page without scripts loads itself again."""


def waiting_rooms(visit: Visit) -> Answer:
    """Show who waits, and take what is decided about them."""
    if visit.account is None:
        return visit.elsewhere()
    query = visit.event.folded_query
    is_activity = _PART not in query and _AGAIN not in query
    found = visit.sign_in(is_activity=is_activity)
    if not isinstance(found, Present):
        return _nobody(visit, found)
    logs.about(account_id=found.user.account_id, user_id=found.user.user_id)
    if visit.account.launch_panel_only:
        form_token = found.credential.form_token
        return visit.page("panel_only.html", status=_FORBIDDEN, form_token=form_token, login=found.login.key)
    return _decided(visit, found) if visit.event.method == "POST" else _shown(visit, found)


def _nobody(visit: Visit, over: Over | None) -> Answer:
    if _PART in visit.event.folded_query:
        # The page around it notices by itself who is signed in (/sign-in/state).
        return json_answer("{}") | {"statusCode": _FORBIDDEN}
    if over is not None:
        return visit.after(over)
    return redirect(addresses.with_query(addresses.SIGN_IN, {"next": addresses.ROOMS}))


def _shown(visit: Visit, present: Present) -> Answer:
    receptions = visit.house.admission.of(present.user)
    query = visit.event.folded_query
    is_part = _PART in query
    return visit.page(
        "_rooms_part.html" if is_part else "rooms.html",
        rooms=[_room(visit, reception) for reception in receptions],
        form_token=present.credential.form_token,
        login=present.login.key,
        action=addresses.ROOMS,
        is_too_late=_GONE in query,
        refresh_url=addresses.with_query(addresses.ROOMS, {_AGAIN: "1"}),
        refresh_seconds=_REFRESH_SECONDS,
    )


def _decided(visit: Visit, present: Present) -> Answer:
    """Admit somebody, who is then met in their session, or turn them away."""
    if not visit.is_own_form():
        return visit.page("form_refused.html", status=_FORBIDDEN, back_url=addresses.ROOMS)
    form = visit.event.form()
    room_id, who = form.get("room", ""), form.get("who", "")
    admission = visit.house.admission
    try:
        if form.get("decision") == "admit":
            session_id = admission.admit(present.user, room_id, who)
            logs.log.info("admitted", session_id=session_id)
            return _onward(visit, addresses.session_page(session_id))
        admission.turn_away(present.user, room_id, who)
    except NotFoundError:
        return visit.page("room_unknown.html", status=_NOT_FOUND)
    except NotWaitingError:
        return _onward(visit, addresses.with_query(addresses.ROOMS, {_GONE: "1"}), is_too_late=True)
    logs.log.info("turned away")
    return _onward(visit, addresses.ROOMS, stays=True)


def _onward(visit: Visit, target: str, *, is_too_late: bool = False, stays: bool = False) -> Answer:
    """Send a browser on; a script is told where, or that the list alone has changed."""
    if _JSON not in visit.event.headers.get("accept", ""):
        return redirect(target)
    if is_too_late or stays:
        return json_answer(json.dumps({_GONE: is_too_late}))
    return json_answer(json.dumps({"url": target}))


def _room(visit: Visit, reception: Reception) -> dict[str, Any]:
    """Return a room as the template shows it."""
    room, now = reception.room, visit.house.clock()
    door = addresses.room_door(room, visit.house.settings.hub_host(visit.slug))
    return {
        "id": room.room_id,
        "name": room.name,
        "door": visit.house.settings.hub_url(visit.slug) + door,
        "waiters": [_waiter(one, now) for one in reception.waiters],
    }


def _waiter(waiter: Waiter, now: int) -> dict[str, Any]:
    return {
        "key": waiter.key,
        "name": waiter.name,
        "minutes": max(0, now - waiter.since) // MINUTE,
        "is_walk_in": waiter.is_walk_in,
    }
