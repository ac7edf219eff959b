"""``/p/{token}`` and ``/r/{token}``: a person's own link, straight to the session, without a cookie or a question.

The link proves its person anew with every request, so that both work in a frame of
another site, where no cookie of ours comes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from vestibule.http.hub.session import Launch, visit_to

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_REGISTRANTS = "/r/{token}"


def personal(visit: Visit) -> Answer:
    """Show the session to its participant or registrant; one refusal for whatever is wrong with the link.

    A registrant's link in a frame goes straight in.  As a plain tab it waits for a
    click, because scanners of mails open it, scripts and all, and must kick nobody.
    """
    if visit.account is None:
        return visit.elsewhere()
    token = visit.event.path_values.get("token", "")
    is_registrants = visit.event.resource == _REGISTRANTS
    entrances = visit.house.entrances
    enter, launch = (entrances.by_registrant, Launch.FRAMED) if is_registrants else (entrances.by_link, Launch.NO)
    arrival = enter(visit.account, token)
    if arrival is None:
        return visit.page("personal_refused.html", status=403)
    return visit_to(visit, arrival, f"/{'r' if is_registrants else 'p'}/{quote(token, safe='')}", launch=launch)
