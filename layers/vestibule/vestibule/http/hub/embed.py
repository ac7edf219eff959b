"""``/embed/{session_id}``: the page that a portal shows in a frame, for somebody whom the portal names.

It sets and needs no cookie.  The token is in the fragment, which no server sees; the
page's script takes it out of the address and posts it here, and what it gets for it is
the session's page with a pass in its form.  The pass, for that session and person alone,
is what the frame goes on with, so that who waits for the doors may wait longer than the
token lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.session import Launch, closed, framed_stage, shown, started

if TYPE_CHECKING:
    from vestibule.domain.entrances import Arrival
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Account, Session


def embed(visit: Visit) -> Answer:
    """Answer the frame: the empty page first, what its script has posted for then."""
    if visit.account is None:
        return visit.elsewhere()
    session_id = visit.event.path_values.get("session_id", "")
    session = visit.house.entrances.session(visit.account.account_id, session_id)
    if session is None:
        return visit.page("session_unknown.html", status=404)
    logs.about(account_id=session.account_id, session_id=session.session_id)
    if visit.event.method != "POST":
        return _empty(visit, visit.account, session)
    return _proven(visit, visit.account, session)


def _proven(visit: Visit, account: Account, session: Session) -> Answer:
    """Show the session to whoever proves to be somebody, or let them in."""
    path = addresses.embed_path(session.session_id)
    if not visit.is_same_origin():
        return visit.page("form_refused.html", status=403, back_url=path)
    arrival = _arrival(visit, account, session)
    if arrival is None:
        logs.log.info("embed token refused")
        return visit.page("embed_refused.html", status=403)
    form = visit.event.form()
    if form.get("join"):
        return started(visit, arrival, path)
    # With a token in a tab of its own it may be a program that follows every link it finds.
    is_person = "pass" in form or "framed" in form
    fields = {"pass": visit.house.entrances.pass_of(arrival), "join": "1"}
    return shown(visit, arrival, path, launch=Launch.START if is_person else Launch.NO, fields=fields)


def _empty(visit: Visit, account: Account, session: Session) -> Answer:
    """Show the page before anybody has said who they are; its policy is the one that holds for all that follows."""
    refused = closed(visit, session)
    if refused is not None:
        return refused
    takes_registrations = visit.house.registrations.is_open(session)
    return visit.page(
        "embed.html",
        session_id=session.session_id,
        action=addresses.embed_path(session.session_id),
        register_url=addresses.register_path(session.session_id) if takes_registrations else None,
        pictures=True,
        stage_url=framed_stage(account),
    )


def _arrival(visit: Visit, account: Account, session: Session) -> Arrival | None:
    """Return who comes, by the token or by the pass that it was changed for."""
    form = visit.event.form()
    if form.get("pass"):
        return visit.house.entrances.by_embed_pass(account, session, form["pass"])
    return visit.house.entrances.by_embed(account, session, form.get("token", ""))
