"""``/seat``: an open page says that its person is still there, and hears whether the seat is still theirs.

Asked by scripts alone.  The seat's token proves the page; no cookie does, so that it is
the same in a frame.  When to ask again is in every answer: a later channel that tells
the page by itself can make that as rare as it likes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vestibule.domain.phases import phase_of
from vestibule.domain.seats import Unseated
from vestibule.http.hub.visit import json_answer

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_LEAVE = "/seat/leave"


def seat(visit: Visit) -> Answer:
    """Hear a page, or let it go."""
    if visit.account is None:
        return visit.elsewhere()
    if not visit.is_same_origin():
        return visit.page("form_refused.html", status=403, back_url="/")
    token = visit.event.form().get("seat", "")
    if visit.event.resource == _LEAVE:
        visit.house.seats.leave(visit.account, token)
        return json_answer(json.dumps({"state": "left"}))
    found = visit.house.seats.beat(visit.account, token)
    if isinstance(found, Unseated):
        return json_answer(json.dumps({"state": "unseated", "reason": found.reason}))
    return json_answer(
        json.dumps(
            {
                "state": "seated",
                "role": found.seat.role,
                "phase": phase_of(found.session, visit.house.clock()),
                "interval": found.interval,
            }
        )
    )
