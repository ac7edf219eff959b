"""``/sign-in``: how to get in, for somebody who is not; and ``/sign-in/state`` for open pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vestibule.domain.sign_ins import Present
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import json_answer, redirect

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit


def sign_in(visit: Visit) -> Answer:
    """Say how to get in, or go on when somebody is signed in already."""
    if visit.account is None:
        return visit.elsewhere()
    found = visit.house.sign_ins.check(visit.credential, slug=visit.slug)
    query = visit.event.folded_query
    if isinstance(found, Present):
        return redirect(addresses.landing(query.get("next"), query))
    if "signed_out" in query:
        return visit.page("signed_out.html")
    return visit.page("sign_in.html", expired="expired" in query)


def sign_in_state(visit: Visit) -> Answer:
    """Tell an open page who is signed in; asking keeps nobody signed in.

    ``here``: by the login that the page names, or by any when it names none;
    ``elsewhere``: by another; ``none``: nobody.
    """
    found = visit.house.sign_ins.check(visit.credential, slug=visit.slug, is_activity=False)
    asked = visit.event.query.get("login")
    if not isinstance(found, Present):
        state = "none"
    else:
        state = "here" if asked in (None, "", found.login.key) else "elsewhere"
    return json_answer(json.dumps({"state": state}))
