"""``/login/{guid}`` and ``/auth``: a browser arrives with a login URI or an SSO token and is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.domain import redirects, rules
from vestibule.domain.login_uris import Browser
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import not_yet, redirect, sign_in_cookie
from vestibule.store.passes import REMEMBERED_FOR

if TYPE_CHECKING:
    from vestibule.domain.login_uris import Arrived
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_AGAIN = "again"
_TOKEN = "sso_token"  # noqa: S105 - a parameter's name
_SPEND = "invalidate"
"""[ours]: the vendor has such a parameter and does not publish its name."""


def arrive(visit: Visit) -> Answer:
    """Redeem the login URI and go on to its page; the same refusal for whatever is wrong."""
    event = visit.event
    if event.is_speculative:
        return not_yet()
    guid = addresses.guid_in(event.path_values.get("guid", ""))
    arrived = visit.house.login_uris.redeem(guid, slug=visit.slug, browser=_browser(visit), held=visit.credential)
    if arrived is None:
        again = addresses.with_query(
            f"{addresses.LOGIN}/{guid}", {**addresses.carried(event.folded_query), _AGAIN: "1"}
        )
        return _refuse(visit, guid, again=again)
    return _go_on(arrived, addresses.landing(arrived.login.next, event.folded_query))


def arrive_by_token(visit: Visit) -> Answer:
    """Let in who brings an SSO token, and go on to ``next``; the same refusal for whatever is wrong.

    ``disable_navigation`` is taken and has no effect: the pages have no navigation
    but the account's own.
    """
    event = visit.event
    if event.is_speculative:
        return not_yet()
    if visit.account is None:
        return visit.elsewhere()
    query = event.folded_query
    token = query.get(_TOKEN, "").lower()
    spend = query.get(_SPEND, "") in {"1", "true"}
    found = visit.house.sso_tokens.redeem(
        visit.account, token, spend=spend, browser=_browser(visit), held=visit.credential
    )
    wanted = rules.sought(redirects.hub_path, query.get("next", ""))
    if found is None:
        kept = {name: query[name] for name in (_TOKEN, _SPEND, "next") if name in query}
        again = addresses.with_query(addresses.AUTH, {**kept, **addresses.carried(query), _AGAIN: "1"})
        return _refuse(visit, token, again=again, next_path=wanted, is_token=True)
    arrived, sso_token = found
    return _go_on(arrived, addresses.landing(wanted or sso_token.next, query))


def _browser(visit: Visit) -> Browser:
    return Browser(visit.event.address, visit.event.headers.get("user-agent", ""))


def _go_on(arrived: Arrived, target: str) -> Answer:
    """Send the browser to its page, with the cookie of the sign-in if that is new."""
    logs.about(account_id=arrived.login.account_id, user_id=arrived.login.user_id)
    if not arrived.is_new:
        return redirect(target)
    logs.log.info("signed in")
    if arrived.took_over:
        target += "&switched=1" if "?" in target else "?switched=1"
    cookie = sign_in_cookie(arrived.credential, arrived.login, REMEMBERED_FOR)
    return redirect(target, cookies=[cookie])


def _refuse(visit: Visit, secret: str, *, again: str, next_path: str | None = None, is_token: bool = False) -> Answer:
    """Show the one page for unknown, used, expired and revoked.

    A true double click may have left the browser before the first answer's
    cookie came in, so the page looks once more: by its script, else by the
    address with ``again``.
    """
    if visit.account is None:
        return visit.elsewhere()
    logs.about(account_id=visit.account.account_id)
    logs.log.info("SSO token refused" if is_token else "login URI refused")
    query = visit.event.folded_query
    is_second_look = _AGAIN in query
    return visit.page(
        "link_refused.html",
        status=403,
        is_token=is_token,
        login=ids.digest(secret),
        dashboard_url=addresses.landing(next_path, query),
        again_url=None if is_second_look or not ids.is_login_guid(secret) else again,
    )
