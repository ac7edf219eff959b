"""``/sign-in``: how to get in, for somebody who is not; and ``/sign-in/state`` for open pages.

Where the person was going stays in the page's own address, through every wrong
password: the form posts to the address that it stands at.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vestibule.clock import MINUTE, SECOND
from vestibule.domain.login_uris import Browser
from vestibule.domain.sign_ins import Present
from vestibule.http import logs
from vestibule.http.hub import addresses, drafts
from vestibule.http.hub.visit import json_answer, let_in, redirect
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from typing import Any

    from vestibule.domain.login_uris import Arrived
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Account

LONGEST_NAME = 254
"""Characters: an e-mail address has no more, and a user name fewer."""
_SEATED = "seated"
_FORBIDDEN = 403
_TOO_MANY = 429


def sign_in(visit: Visit) -> Answer:
    """Ask who it is, or go on when somebody is signed in already."""
    if visit.account is None:
        return visit.elsewhere()
    if visit.event.method == "POST":
        return _answer_form(visit, visit.account)
    found = visit.sign_in()
    query = visit.event.folded_query
    if isinstance(found, Present):
        return redirect(target(visit))
    if "signed_out" in query:
        return visit.page("signed_out.html")
    return _page(visit)


def sign_in_state(visit: Visit) -> Answer:
    """Tell an open page who is signed in; asking keeps nobody signed in, unless they sit in a session on that page.

    ``here``: by the login that the page names, or by any when it names none;
    ``elsewhere``: by another; ``none``: nobody.
    """
    query = visit.event.query
    asked = query.get("login")
    sits = _SEATED in query and visit.credential is not None and visit.credential.key == asked
    found = visit.sign_in(is_activity=sits)
    if not isinstance(found, Present):
        state = "none"
    else:
        state = "here" if asked in (None, "", found.login.key, found.login.sso_token) else "elsewhere"
    return json_answer(json.dumps({"state": state}))


def _answer_form(visit: Visit, account: Account) -> Answer:
    """Let somebody in by name and password, or say that it was not right, whatever was wrong."""
    if not visit.is_own_visitor_form():
        return visit.page("form_refused.html", status=_FORBIDDEN, back_url=_here(visit))
    if not account.password_sign_in:
        return _page(visit, status=_FORBIDDEN)
    logs.about(account_id=account.account_id)
    form = visit.event.form()
    name, password = form.get("name", "")[:LONGEST_NAME], form.get("password", "")
    browser = Browser(visit.event.address, visit.event.headers.get("user-agent", ""))
    try:
        arrived = visit.house.password_sign_ins.sign_in(account, name, password, browser=browser, held=visit.credential)
    except BlockedError as blocked:
        logs.log.info("password not looked at")
        return _wait(visit, blocked.until, name)
    if arrived is None:
        logs.log.info("wrong password")
        return _page(visit, status=_FORBIDDEN, wrong=True, name=name)
    return _go_on(visit, arrived)


def _go_on(visit: Visit, arrived: Arrived) -> Answer:
    logs.about(user_id=arrived.login.user_id)
    logs.log.info("signed in by password")
    return let_in(arrived, target(visit))


def _wait(visit: Visit, until: int, name: str) -> Answer:
    headers, minutes = retry_after(visit, until)
    return _page(visit, status=_TOO_MANY, headers=headers, wait_minutes=minutes, name=name)


def _page(visit: Visit, *, status: int = 200, **values: Any) -> Answer:
    account = visit.account
    if account is None or not account.password_sign_in:
        return visit.page("sign_in.html", status=status, expired="expired" in visit.event.folded_query, form=None)
    return visit.page(
        "sign_in.html",
        status=status,
        cookies=visit.visitor_cookies,
        expired="expired" in visit.event.folded_query and status == 200,  # noqa: PLR2004
        form={"url": _here(visit), "token": visit.visitor_token, "longest_name": LONGEST_NAME},
        is_kept=drafts.is_waiting(visit),
        mailed={
            "link_url": with_way(visit, addresses.MAILED_LINK),
            "password_url": with_way(visit, addresses.MAILED_PASSWORD),
        }
        if visit.house.settings.mail_sender
        else None,
        **values,
    )


def with_way(visit: Visit, path: str, **further: str) -> str:
    """Return a page's address with where the person was going, and nothing else that came with the request."""
    query = visit.event.folded_query
    going = {"next": query["next"]} if "next" in query else {}
    return addresses.with_query(path, going | addresses.carried(query) | further)


def retry_after(visit: Visit, until: int) -> tuple[dict[str, str], int]:
    """Return the header and the number of minutes that tell how long to wait."""
    milliseconds = max(1, until - visit.house.clock())
    return {"Retry-After": str(-(-milliseconds // SECOND))}, -(-milliseconds // MINUTE)


def _here(visit: Visit) -> str:
    return with_way(visit, addresses.SIGN_IN)


def target(visit: Visit) -> str:
    """Return where the person was going: a page of the hub (`addresses.landing`)."""
    query = visit.event.folded_query
    return addresses.landing(query.get("next"), query)
