"""Analytics: who was there, and how many at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule.clock import to_rfc3339
from vestibule.dialects.sequel.wire import PlainError, all_of, answer, bad_request
from vestibule.domain.attendance import per_minute
from vestibule.errors import NotFoundError

if TYPE_CHECKING:
    from vestibule.dialects.front_door import Call
    from vestibule.domain.attendance import Attended
    from vestibule.http.event import Answer
    from vestibule.store.visits import Position

_COUNT = 100
"""Items of a page unless told otherwise."""
_DIGITS = 6


def activity(call: Call) -> Answer:
    """Show one page of visits, the earliest first; ``page`` counts from 1."""
    count, page = _number(call, "count", _COUNT), _number(call, "page", 1)
    visits = sorted(_visits(call), key=lambda one: (one.visit.joined_at, one.visit.visit_id))
    shown = visits[(page - 1) * count : page * count]
    return answer(200, {"items": [_out(one) for one in shown], "totalCount": len(visits), "page": page, "size": count})


def watched(call: Call) -> Answer:
    """Show how many people were there in each minute since the first one came."""
    return answer(200, {"VideoViews": [list(pair) for pair in per_minute([one.visit for one in _visits(call)])]})


def _visits(call: Call) -> list[Attended]:
    def page(after: Position | None, limit: int) -> tuple[list[Attended], Position | None]:
        return call.house.attendance.page(call.caller.account_id, call.values["event_id"], after=after, limit=limit)

    try:
        return list(all_of(page))
    except NotFoundError:
        raise PlainError(404, "session_unknown", "Event not found") from None


def _out(attended: Attended) -> dict[str, Any]:
    visit = attended.visit
    return {
        "userId": visit.user_id or visit.own_id or "",
        "userName": visit.name or "",
        "userEmail": visit.email or "",
        "metadata": json.loads(visit.metadata),
        "role": visit.role,
        "joinedAt": to_rfc3339(visit.joined_at),
        "leftAt": to_rfc3339(visit.left_at),
        "secondsWatched": attended.seconds,
    }


def _number(call: Call, name: str, default: int) -> int:
    text = call.event.folded_query.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text)):
        raise bad_request(f"{name} must be a number from 1 on")
    return int(text)
