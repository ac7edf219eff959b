"""``/sign-in/link`` and ``/sign-in/password``: a link by mail, asked for and followed.

Following one shows a page with a button and changes nothing: programs that fetch
what stands in mails use no link up, also when they run scripts.  The form that a
person sends does.  Where the account takes no passwords, none of this is offered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vestibule.domain.login_uris import Browser
from vestibule.domain.rules import RuleError
from vestibule.domain.sign_ins import Present
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.sign_in import LONGEST_NAME, retry_after, target, with_way
from vestibule.http.hub.visit import let_in, redirect
from vestibule.model import LinkPurpose
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from vestibule.domain.login_uris import Arrived
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Account

_PATHS = {LinkPurpose.SIGN_IN: addresses.MAILED_LINK, LinkPurpose.PASSWORD: addresses.MAILED_PASSWORD}
_SENT = "sent"
_LONGEST_WAY = 1_024
"""Characters of a path and its query that a mailed link carries; a longer one leads to the dashboard."""
_FORBIDDEN = 403
_UNPROCESSABLE = 422
_TOO_MANY = 429


def mailed_links(visit: Visit) -> Answer:
    """Answer whatever asks for a link by mail, or comes with one."""
    account = visit.account
    if account is None:
        return visit.elsewhere()
    logs.about(account_id=account.account_id)
    if not (account.password_sign_in and visit.house.settings.mail_sender):
        return visit.page("sign_in.html", status=_FORBIDDEN, form=None)
    is_password = visit.event.resource.startswith(addresses.MAILED_PASSWORD)
    purpose = LinkPurpose.PASSWORD if is_password else LinkPurpose.SIGN_IN
    token = visit.event.path_values.get("token")
    if token is None:
        return _ask(visit, account, purpose)
    return _follow(visit, account, purpose, token)


def _ask(visit: Visit, account: Account, purpose: LinkPurpose) -> Answer:
    """Ask for a name, unless somebody is signed in already; say that a mail is on its way."""
    if visit.event.method == "POST":
        return _answer_form(visit, account, purpose)
    if isinstance(visit.sign_in(), Present):
        return redirect(target(visit))
    if _SENT not in visit.event.folded_query:
        return _asking(visit, purpose)
    return visit.page(
        "link_sent.html",
        is_password=purpose is LinkPurpose.PASSWORD,
        again_url=with_way(visit, _PATHS[purpose]),
        back_url=with_way(visit, addresses.SIGN_IN),
    )


def _answer_form(visit: Visit, account: Account, purpose: LinkPurpose) -> Answer:
    """Take a name and promise a mail, whoever it names or does not."""
    path = _PATHS[purpose]
    if not visit.is_own_visitor_form():
        return visit.page("form_refused.html", status=_FORBIDDEN, back_url=with_way(visit, path))
    name = visit.event.form().get("name", "")[:LONGEST_NAME]
    if not name.strip():
        return _asking(visit, purpose, status=_UNPROCESSABLE, is_empty=True)
    try:
        visit.house.mailed_links.ask(account, purpose, name, _way(visit), address=visit.event.address)
    except BlockedError as blocked:
        logs.log.info("mailed link not asked for")
        headers, minutes = retry_after(visit, blocked.until)
        return _asking(visit, purpose, status=_TOO_MANY, headers=headers, wait_minutes=minutes)
    logs.log.info("mailed link asked for", purpose=purpose)
    return redirect(with_way(visit, path, **{_SENT: "1"}))


def _asking(visit: Visit, purpose: LinkPurpose, *, status: int = 200, **values: Any) -> Answer:
    return visit.page(
        "ask_link.html",
        status=status,
        cookies=visit.visitor_cookies,
        is_password=purpose is LinkPurpose.PASSWORD,
        form={"url": with_way(visit, _PATHS[purpose]), "token": visit.visitor_token, "longest_name": LONGEST_NAME},
        back_url=with_way(visit, addresses.SIGN_IN),
        **values,
    )


def _way(visit: Visit) -> str:
    """Return where the person was going as it stands in the mail, ``""`` for the dashboard."""
    way = target(visit)
    return "" if way == addresses.DASHBOARD or len(way) > _LONGEST_WAY else way


def _follow(visit: Visit, account: Account, purpose: LinkPurpose, token: str) -> Answer:
    """Show a link's page; do what it is for when its form comes back."""
    here = with_way(visit, f"{_PATHS[purpose]}/{quote(token, safe='')}")
    if visit.event.method != "POST":
        if visit.house.mailed_links.is_usable(account, purpose, token):
            return _page_of(visit, purpose, here)
        return _refuse(visit, purpose, token)
    if not visit.is_own_visitor_form():
        return visit.page("form_refused.html", status=_FORBIDDEN, back_url=here)
    try:
        arrived = _use(visit, account, purpose, token)
    except RuleError:
        return _page_of(visit, purpose, here, status=_UNPROCESSABLE, is_short=True)
    if arrived is None:
        return _refuse(visit, purpose, token)
    logs.about(user_id=arrived.login.user_id)
    logs.log.info("signed in by mailed link", purpose=purpose)
    return let_in(arrived, target(visit))


def _use(visit: Visit, account: Account, purpose: LinkPurpose, token: str) -> Arrived | None:
    links = visit.house.mailed_links
    browser = Browser(visit.event.address, visit.event.headers.get("user-agent", ""))
    secret, held = visit.browser_secret, visit.credential
    if purpose is LinkPurpose.SIGN_IN:
        return links.sign_in(account, token, browser=browser, browser_secret=secret, held=held)
    password = visit.event.form().get("password", "")
    return links.set_password(account, token, password, browser=browser, browser_secret=secret, held=held)


def _page_of(visit: Visit, purpose: LinkPurpose, here: str, *, status: int = 200, **values: Any) -> Answer:
    return visit.page(
        "choose_password.html" if purpose is LinkPurpose.PASSWORD else "follow_link.html",
        status=status,
        cookies=visit.visitor_cookies,
        form={"url": here, "token": visit.visitor_token},
        **values,
    )


def _refuse(visit: Visit, purpose: LinkPurpose, token: str) -> Answer:
    """Show the one page for unknown, used, expired and revoked; its own browser goes on where it is signed in."""
    credential = visit.credential
    is_its_own = credential is not None and visit.house.mailed_links.is_its_sign_in(token, credential)
    if is_its_own and isinstance(visit.sign_in(), Present):
        return redirect(target(visit))
    logs.log.info("mailed link refused")
    return visit.page(
        "mailed_link_refused.html",
        status=_FORBIDDEN,
        again_url=with_way(visit, _PATHS[purpose]),
        back_url=with_way(visit, addresses.SIGN_IN),
    )
