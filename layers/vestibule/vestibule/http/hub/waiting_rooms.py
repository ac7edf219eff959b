"""``/dashboard/rooms``: a user's rooms, who waits there, and letting them in or turning them away.

The page stands by itself, without scripts too; the dashboard shows the same list, which its script
asks for as a part of a page (``part=1``).  Asking for it keeps nobody signed in.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vestibule.clock import MINUTE
from vestibule.domain.admission import NotWaitingError
from vestibule.errors import NotFoundError
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.desk import at_desk
from vestibule.http.hub.visit import json_answer, redirect

if TYPE_CHECKING:
    from typing import Any

    from vestibule.domain.admission import Reception
    from vestibule.domain.sign_ins import Over
    from vestibule.http.event import Answer
    from vestibule.http.hub.desk import Desk
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Waiter

_PART = "part"
_AGAIN = "again"
_GONE = "gone"
_ADMIT, _TURN_AWAY = "admit", "turn_away"
_JSON = "application/json"
_FORBIDDEN = 403
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_REFRESH_SECONDS = 10
"""How often a page without scripts loads itself again."""


def waiting_rooms(visit: Visit) -> Answer:
    """Show who waits, and take what is decided about them."""
    query = visit.event.folded_query
    is_part = _PART in query
    is_activity = not is_part and _AGAIN not in query
    return at_desk(visit, _serve, is_activity=is_activity, nobody=_nobody if is_part else None)


def _nobody(_over: Over | None) -> Answer:
    """Answer the script of a page, which notices by itself who is signed in (/sign-in/state)."""
    return json_answer("{}") | {"statusCode": _FORBIDDEN}


def _serve(desk: Desk) -> Answer:
    return _decided(desk) if desk.is_post else _shown(desk)


def _shown(desk: Desk) -> Answer:
    receptions = desk.house.admission.of(desk.user)
    query = desk.visit.event.folded_query
    return desk.page(
        "_rooms_part.html" if _PART in query else "rooms.html",
        rooms=[_room(desk.visit, reception) for reception in receptions],
        action=addresses.ROOMS,
        is_too_late=_GONE in query,
        refresh_url=addresses.with_query(addresses.ROOMS, {_AGAIN: "1"}),
        refresh_seconds=_REFRESH_SECONDS,
    )


def _decided(desk: Desk) -> Answer:
    """Admit somebody, who is then met in their session, or turn them away."""
    visit, admission = desk.visit, desk.house.admission
    room_id, who, decision = (desk.form.get(name, "") for name in ("room", "who", "decision"))
    if decision not in {_ADMIT, _TURN_AWAY}:
        return visit.page("form_refused.html", status=_UNPROCESSABLE, back_url=addresses.ROOMS)
    try:
        if decision == _ADMIT:
            session_id = admission.admit(desk.user, room_id, who)
            logs.log.info("admitted", session_id=session_id)
            return _onward(visit, addresses.session_page(session_id))
        admission.turn_away(desk.user, room_id, who)
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
