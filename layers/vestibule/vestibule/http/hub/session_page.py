"""``/s/{session_id}`` and ``/go/{account}/{friendly_url}``: links that carry nothing and ask who comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.domain.entrances import Arrival, PasswordCheck
from vestibule.domain.rules import RuleError
from vestibule.domain.sign_ins import Present
from vestibule.http.hub import addresses
from vestibule.http.hub.session import closed, form_token, pass_cookie, pass_in, state, visit_to
from vestibule.http.hub.visit import redirect

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Account, Session

_FRIENDLY = "/go/{account}/{friendly_url}"
_STATE = "/s/{session_id}/state"
_LEFT = "/s/{session_id}/left"
_REFUSED = {PasswordCheck.WRONG: 403, PasswordCheck.BLOCKED: 429}


def session_page(visit: Visit) -> Answer:
    """Answer whatever asks for a session by a link that names it alone."""
    if visit.account is None:
        return visit.elsewhere()
    if visit.event.resource == _FRIENDLY:
        return _friendly(visit, visit.account)
    session_id = visit.event.path_values.get("session_id", "")
    if visit.event.resource == _LEFT:
        return visit.page("left.html", back_url=addresses.session_path(session_id))
    if visit.event.resource == _STATE:
        return state(visit, visit.house.entrances.session(visit.account.account_id, session_id, consistent=False))
    return _generic(visit, visit.account, session_id)


def _friendly(visit: Visit, account: Account) -> Answer:
    """Send the browser on to the session's own page.

    The path names the account by its slug or, as OnSync's portals that know nothing else, by a client_id.
    """
    names = visit.event.path_values
    name, found = names.get("account", "").lower(), None
    meant = visit.house.accounts.at_slug(name)
    if account.account_id in {meant.account_id if meant else None, ids.account_id_in(name)}:
        found = visit.house.entrances.friendly(account.account_id, names.get("friendly_url", ""))
    if found is None:
        return visit.page("session_unknown.html", status=404)
    return redirect(addresses.with_query(addresses.session_path(found), visit.event.query))


def _generic(visit: Visit, account: Account, session_id: str) -> Answer:
    house = visit.house
    present = visit.sign_in()
    user = present.user if isinstance(present, Present) else None
    arrival = house.entrances.by_sign_in(session_id, user) if user else None
    session = arrival.session if arrival else house.entrances.session(account.account_id, session_id)
    if session is None:
        return visit.page("session_unknown.html", status=404)
    refused = closed(visit, session)
    if refused is not None:
        return refused
    kept = pass_in(visit, session_id)
    if arrival is not None:
        may_enter = (
            arrival.is_expected or session.password_hash is None or house.entrances.is_pass_of(arrival, kept, account)
        )
        if not may_enter:
            return _ask(visit, session, arrival)
        # To the dashboard where it has this session; one that is not the person's own it would refuse.
        on_dashboard = addresses.with_query(addresses.DASHBOARD, {"scrollTo": session_id})
        return_path = on_dashboard if arrival.is_expected else None
        return visit_to(visit, arrival, addresses.session_path(session_id), return_path=return_path)
    back = house.entrances.by_pass(account, session_id, kept)
    if back is not None:
        return visit_to(visit, back, addresses.session_path(session_id))
    return _ask(visit, session, None)


def _ask(visit: Visit, session: Session, arrival: Arrival | None) -> Answer:
    """Ask for a name and the session's password, as far as they are needed; take the answer.

    Parameters
    ----------
    arrival
        Of a signed-in user, who has a name.
    """
    if visit.event.method != "POST":
        return _asked(visit, session, arrival)
    path = addresses.session_path(session.session_id)
    if not visit.is_own_form():
        return visit.page("form_refused.html", status=403, back_url=path)
    form = visit.event.form()
    name = form.get("name", "")
    try:
        known = arrival or visit.house.entrances.by_name(session, name)
    except RuleError:
        return _asked(visit, session, arrival, problem="name", status=422, name=name)
    verdict = visit.house.entrances.check_password(session, form.get("password", ""), address=visit.event.address)
    if verdict is not PasswordCheck.RIGHT:
        return _asked(visit, session, arrival, problem=f"password_{verdict}", status=_REFUSED[verdict], name=name)
    here = addresses.with_query(path, addresses.carried(visit.event.folded_query))
    return redirect(here, cookies=[pass_cookie(visit, known)])


def _asked(
    visit: Visit,
    session: Session,
    arrival: Arrival | None,
    *,
    problem: str = "",
    status: int = 200,
    name: str = "",
) -> Answer:
    carried = addresses.carried(visit.event.folded_query)
    here = addresses.with_query(addresses.session_path(session.session_id), carried)
    return visit.page(
        "come_in.html",
        status=status,
        action=here,
        form_token=form_token(visit),
        sign_in_url=None if arrival else addresses.with_query(addresses.SIGN_IN, {"next": here}),
        person_name=arrival.name if arrival else None,
        asks_password=session.password_hash is not None,
        problem=problem,
        name=name,
    )
