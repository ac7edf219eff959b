"""``/p/{token}``: a participant's own link, straight to the session, without a cookie or a question."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from vestibule.http.hub.session import visit_to

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit


def personal(visit: Visit) -> Answer:
    """Show the session to its participant; one refusal for whatever is wrong with the link."""
    if visit.account is None:
        return visit.elsewhere()
    token = visit.event.path_values.get("token", "")
    arrival = visit.house.entrances.by_link(visit.account, token)
    if arrival is None:
        return visit.page("personal_refused.html", status=403)
    return visit_to(visit, arrival, f"/p/{quote(token, safe='')}")
