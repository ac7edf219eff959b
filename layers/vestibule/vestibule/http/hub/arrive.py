"""``/login/{guid}``: a browser arrives with a login URI and is signed in, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.domain.login_uris import Browser
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import let_in, not_yet, redirect

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_AGAIN = "again"


def arrive(visit: Visit) -> Answer:
    """Redeem the login URI and go on to its page; the same refusal for whatever is wrong."""
    event = visit.event
    if event.is_speculative:
        return not_yet()
    guid = addresses.guid_in(event.path_values.get("guid", ""))
    browser = Browser(event.address, event.headers.get("user-agent", ""))
    arrived = visit.house.login_uris.redeem(guid, slug=visit.slug, browser=browser, held=visit.credential)
    if arrived is None:
        return _refuse(visit, guid)
    logs.about(account_id=arrived.login.account_id, user_id=arrived.login.user_id)
    target = addresses.landing(arrived.login.next, event.folded_query)
    if not arrived.is_new:
        return redirect(target)
    logs.log.info("signed in")
    return let_in(arrived, target)


def _refuse(visit: Visit, guid: str) -> Answer:
    """Show the one page for unknown, used, expired and revoked.

    A true double click may have left the browser before the first answer's
    cookie came in, so the page looks once more: by its script, else by the
    address with ``again``.
    """
    if visit.account is None:
        return visit.elsewhere()
    logs.about(account_id=visit.account.account_id)
    logs.log.info("login URI refused")
    query = visit.event.folded_query
    is_second_look = _AGAIN in query
    again = addresses.with_query(f"{addresses.LOGIN}/{guid}", {**addresses.carried(query), _AGAIN: "1"})
    return visit.page(
        "link_refused.html",
        status=403,
        login=ids.digest(guid),
        dashboard_url=addresses.landing(None, query),
        again_url=None if is_second_look or not ids.is_login_guid(guid) else again,
    )
