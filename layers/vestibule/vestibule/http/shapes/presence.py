"""Presence on the wire."""

from typing import Any

from vestibule.clock import to_rfc3339
from vestibule.domain.presence import Page
from vestibule.model import Visit, Waiter


def _person_out(somebody: Visit | Waiter) -> dict[str, Any]:
    """Return somebody who is in a session, or waits for it, as the API shows them."""
    if isinstance(somebody, Waiter):
        return {
            "state": "waiting",
            "name": somebody.name,
            "email": None,
            "user_id": None,
            "own_id": somebody.key,
            "role": None,
            "entrance": None,
            "visit_id": None,
            "waiting_since": to_rfc3339(somebody.since),
            "joined_at": None,
            "seen_at": to_rfc3339(somebody.seen_at),
        }
    return {
        "state": "in",
        "name": somebody.name,
        "email": somebody.email,
        "user_id": somebody.user_id,
        "own_id": somebody.own_id,
        "role": somebody.role,
        "entrance": somebody.entrance,
        "visit_id": somebody.visit_id,
        "waiting_since": None,
        "joined_at": to_rfc3339(somebody.joined_at),
        "seen_at": to_rfc3339(somebody.left_at),
    }


def presence_out(page: Page, cursor: str | None) -> dict[str, Any]:
    """Return a page of who is there as the API shows it, with their number where it was counted."""
    count = page.count
    counted = None if count is None else {"in": count.inside, "waiting": count.waiting}
    return {"items": [_person_out(one) for one in page.people], "cursor": cursor, "count": counted}
