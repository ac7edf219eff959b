"""``/logout``: the sign-in ends in the table, and the browser goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import forget_cookies, not_yet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_TARGET = "redirecttourl"


def leave(visit: Visit) -> Answer:
    """Sign out, then go to the given address if it is allowed, else where the portal said.

    A portal sends browsers here by a plain link (vendor article), so a GET acts,
    but not one that a browser makes ahead of the click.  The form on our own
    pages posts, with its token.
    """
    if visit.event.is_speculative:
        return not_yet()
    if visit.account is None:
        return visit.elsewhere()
    if visit.event.method == "POST" and not visit.is_own_form():
        return visit.page("form_refused.html", status=403, back_url=addresses.DASHBOARD)
    ended = visit.house.sign_ins.end(visit.credential, slug=visit.slug)
    if ended is not None:
        logs.about(account_id=ended.account_id, user_id=ended.user_id)
        logs.log.info("signed out")
    target = (
        visit.allowed(_asked_target(visit.event.query))
        or visit.allowed(ended.redirect_to_uri_on_expiry if ended else None)
        or addresses.with_query(addresses.SIGN_IN, {"signed_out": "1"} if ended else {})
    )
    return visit.onward(target, cookies=forget_cookies(visit.event))


def _asked_target(query: Mapping[str, str]) -> str | None:
    """Return redirectToUrl, put together again when a portal did not encode it.

    ``?redirectToUrl=https://portal/x?a=1&b=2`` arrives as two parameters: what
    follows one that already has a query belongs to it.
    """
    name = next((name for name in query if name.lower() == _TARGET), None)
    if name is None:
        return None
    target = query[name]
    rest = {other: value for other, value in query.items() if other != name}
    return f"{target}&{urlencode(rest)}" if rest and "?" in target else target
