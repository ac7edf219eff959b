"""``/dashboard``: the signed-in person's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.domain.sign_ins import Over
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import redirect

if TYPE_CHECKING:
    from vestibule.domain.sign_ins import Present
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit


def dashboard(visit: Visit) -> Answer:
    """Greet the person who is signed in, or send the browser to where it can be."""
    if visit.account is None:
        return visit.elsewhere()
    found = visit.house.sign_ins.check(visit.credential, slug=visit.slug)
    if isinstance(found, Over):
        return visit.after(found)
    if found is None:
        here = addresses.canonical(visit.event.path, visit.event.query) or addresses.DASHBOARD
        return redirect(addresses.with_query(addresses.SIGN_IN, {"next": here}))
    logs.about(account_id=found.user.account_id, user_id=found.user.user_id)
    return visit.page(
        "dashboard.html",
        person_name=found.user.full_name,
        form_token=found.credential.form_token,
        login=found.login.key,
        idle_minutes=visit.account.idle_timeout_minutes,
        notices=_notices(visit, found),
    )


def _notices(visit: Visit, present: Present) -> list[str]:
    """Return what the person should know about how they came here, as the template's codes."""
    query = visit.event.folded_query
    meant = visit.event.path_values.get("user_id") or query.get("user")
    found = {
        "switched": "switched" in query,
        "other_person": bool(meant) and meant != present.user.user_id,
        "other_session": "scrollto" in query,
    }
    return [code for code, applies in found.items() if applies]
