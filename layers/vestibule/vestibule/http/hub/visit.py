"""One request of a browser at the hub, and the answers that every page may need.

The host says whose hub it is.  A failing dependency becomes a page with 503, a
defect one with 500; neither says more than its request id, in the log.
"""

from __future__ import annotations

import hmac
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.clock import SECOND
from vestibule.domain import redirects
from vestibule.domain.sign_ins import Credential, Present
from vestibule.http.handler import handler
from vestibule.http.hub import addresses
from vestibule.http.pages.face import NO_ACCOUNT, face_of
from vestibule.http.pages.render import OURSELVES, Around, render
from vestibule.http.problems import RETRY_AFTER, status_of
from vestibule.settings import SLUG
from vestibule.store.passes import REMEMBERED_FOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vestibule.domain.login_uris import Arrived
    from vestibule.domain.sign_ins import Over
    from vestibule.errors import VestibuleError
    from vestibule.http.event import Answer, Event
    from vestibule.http.handler import Handler
    from vestibule.http.pages.face import AccountFace
    from vestibule.languages import Translation
    from vestibule.model import Account, Login
    from vestibule.wiring import House

    type Page = Callable[[Visit], Answer]

COOKIE = "__Host-vestibule"
FORM_COOKIE = "__Host-vestibule-form"
"""Secret of a browser in which nobody is signed in, for the forms that it is shown; it opens nothing."""
PASS_COOKIE = "__Host-vestibule-pass-"  # noqa: S105 - a cookie's name, before the session's id
"""What lets a browser that came by a code, a link or a name come back to one session."""
_COOKIE_RULES = "Path=/; Secure; HttpOnly; SameSite=Lax"
_FORM_SECRET_LENGTH = 32

_FRAMED = frozenset({"/embed/{session_id}", "/p/{token}", "/r/{token}", "/s/{session_id}/register"})
"""Routes whose pages work in a frame, without cookies (H01)."""
_TOKEN_IN_FRAGMENT = "/embed/{session_id}"  # noqa: S105 - a route, not a token
"""The route whose address may come with a token."""
_LEFT = "/s/{session_id}/left"
"""Where a stage sends its visitor back to: inside the frame that a page of ours holds it in."""

_REDIRECT_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


class Visit:
    """A browser's request to one account's hub.

    Parameters
    ----------
    event
        The request.
    house
        The rooms behind the pages.
    """

    def __init__(self, event: Event, house: House) -> None:
        self.event = event
        self.house = house
        self._locale: str | None = None

    @cached_property
    def slug(self) -> str:
        """The account's slug in the host, ``""`` on the bare hub host."""
        return self.house.settings.slug_of_host(self.event.host) or ""

    @cached_property
    def account(self) -> Account | None:
        """The account of this host, None when it is nobody's."""
        return self.house.accounts.at_slug(self.slug or None)

    @cached_property
    def face(self) -> AccountFace:
        """How the account looks."""
        return face_of(self.account) if self.account else NO_ACCOUNT

    @cached_property
    def credential(self) -> Credential | None:
        """What the sign-in cookie carries; unproven until checked."""
        return Credential.parse(self.event.cookies.get(COOKIE))

    def sign_in(self, *, is_activity: bool = True) -> Present | Over | None:
        """Return who is signed in in this browser; pages are in that person's language from then on."""
        found = self.house.sign_ins.check(self.credential, slug=self.slug, is_activity=is_activity)
        if isinstance(found, Present):
            self._locale = found.user.locale
        return found

    @property
    def texts(self) -> Translation:
        """The language of the pages: the person's own, the account's, or what the browser asks for."""
        return _texts(self.event, self._locale, self.account)

    @property
    def framed_by(self) -> tuple[str, ...]:
        """Origins whose pages may show this one in a frame: the account's list, for the pages made for that."""
        return _framed_by(self.account, self.event.resource)

    def page(
        self, template: str, *, status: int = 200, stage_url: str | None = None, pictures: bool = False, **values: Any
    ) -> Answer:
        """Answer with a page in the account's branding and the visitor's language.

        Parameters
        ----------
        stage_url, pictures
            See `vestibule.http.pages.render.Around`.
        """
        around = Around(
            framed_by=self.framed_by,
            stage_url=stage_url,
            shows_pictures=pictures,
            has_token=self.event.resource == _TOKEN_IN_FRAGMENT,
        )
        return render(template, self.face, status=status, around=around, texts=self.texts, **values)

    def elsewhere(self) -> Answer:
        """Answer on a host that is no account's: help people find theirs."""
        _, _, hub_host = self.house.settings.hub_origin.partition(f"{SLUG}.")
        asked = self.slug or None
        return self.page("choose_organisation.html", status=404, hub_host=hub_host, asked=asked)

    def allowed(self, target: str | None) -> str | None:
        """Return a redirect target if the account's list covers it."""
        entries = self.account.redirect_uris if self.account else ()
        return target if target and redirects.is_allowed(target, entries) else None

    @property
    def here(self) -> str:
        """The page that was asked for, to come back to it."""
        return addresses.canonical(self.event.path, self.event.query) or addresses.DASHBOARD

    def sent_on(self, over: Over | None, *, cookies: Sequence[str] = ()) -> Answer:
        """Send a browser on in which nobody is signed in: where its sign-in led to that has ended, or to a new one."""
        if over is None:
            return redirect(addresses.with_query(addresses.SIGN_IN, {"next": self.here}), cookies=cookies)
        target = self.allowed(over.login.redirect_to_uri_on_expiry)
        if target is None:
            back = {} if self.here == addresses.DASHBOARD else {"next": self.here}
            return redirect(addresses.with_query(addresses.SIGN_IN, {"expired": "1", **back}), cookies=cookies)
        return self.onward(target, cookies=cookies)

    def onward(self, target: str, *, cookies: Sequence[str] = ()) -> Answer:
        """Send a browser on in which nobody is signed in any more, to a page of ours or to the portal's."""
        if self.event.method == "POST" and not target.startswith("/"):
            # Chromium holds every hop after a form's answer to the page's form-action,
            # the portal's own redirects included: a page that moves on does not.
            return self.page("signed_out.html", continue_url=target, cookies=cookies)
        return redirect(target, cookies=cookies)

    @cached_property
    def _visitor_secret(self) -> tuple[str, bool]:
        """The secret that this browser's forms are marked with, and whether it is new."""
        held = self.event.cookies.get(FORM_COOKIE, "")
        is_known = len(held) == _FORM_SECRET_LENGTH and all(c in "0123456789abcdef" for c in held)
        return (held, False) if is_known else (self.house.random.token_hex(_FORM_SECRET_LENGTH // 2), True)

    @property
    def visitor_token(self) -> str:
        """Token for a form in a browser in which nobody is signed in; the answer needs `visitor_cookies` as well."""
        return ids.keyed_mark(self._visitor_secret[0], "visitor form")

    @property
    def visitor_cookies(self) -> list[str]:
        """The Set-Cookie that `visitor_token` rests on, if the browser lacks it."""
        secret, is_new = self._visitor_secret
        return [set_cookie(FORM_COOKIE, secret)] if is_new else []

    @property
    def browser_secret(self) -> str:
        """What only this browser holds; the same as long as it keeps the cookie of `visitor_cookies`."""
        return self._visitor_secret[0]

    def is_own_visitor_form(self) -> bool:
        """Tell whether a POST comes from a form that this very browser was shown, signed in or not.

        Without it another site could sign a visitor in as somebody else, unnoticed
        (OWASP ASVS 5.0, 3.5).
        """
        _, is_new = self._visitor_secret
        token = self.event.form().get("form_token", "")
        is_ours = not is_new and hmac.compare_digest(token.encode(), self.visitor_token.encode())
        return is_ours and self.is_same_origin()

    def is_own_form(self) -> bool:
        """Tell whether a POST comes from a form of this very sign-in's pages.

        Same origin by the browser's own word, and the token that only a page of
        this sign-in holds (OWASP ASVS 5.0, 3.5).  Without a sign-in (it ended in
        another tab) there is nothing that a token could prove.
        """
        if not self.is_same_origin() or self.credential is None:
            return self.is_same_origin()
        token = self.event.form().get("form_token", "")
        return hmac.compare_digest(token.encode(), self.credential.form_token.encode())

    def is_same_origin(self) -> bool:
        """Tell whether the browser says that the request comes from a page of this host."""
        headers = self.event.headers
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin", "").partition("://")[2]
        return site == "same-origin" if site else origin == headers.get("host")


class Hub:
    """Makes handlers of pages.

    Parameters
    ----------
    house
        The rooms behind the pages.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    def page(self, page: Page) -> Handler:
        """Return the handler that answers with a page, whatever happens."""

        def serve(event: Event) -> Answer:
            answer = page(Visit(event, self._house))
            return answer | {"body": ""} if event.method == "HEAD" else answer

        def refuse(event: Event, error: VestibuleError) -> Answer:
            return _try_again(Visit(event, self._house), status_of(error))

        return handler(serve, refuse)


def redirect(target: str, *, cookies: Sequence[str] = ()) -> Answer:
    """Answer 303 See Other, without telling the target where the browser was (RFC 9700)."""
    return {
        "statusCode": 303,
        "headers": {"Location": target, **_REDIRECT_HEADERS},
        "multiValueHeaders": {"Set-Cookie": list(cookies)} if cookies else {},
        "body": "",
        "isBase64Encoded": False,
    }


def let_in(arrived: Arrived, target: str) -> Answer:
    """Send a browser on whose sign-in has just begun; a change of person is told to the page."""
    if arrived.took_over:
        target += "&switched=1" if "?" in target else "?switched=1"
    return redirect(target, cookies=[_sign_in_cookie(arrived.credential, arrived.login)])


def not_yet() -> Answer:
    """Answer a prefetch or a HEAD: no page, so that no browser keeps it for the click."""
    return {
        "statusCode": 403,
        "headers": dict(_REDIRECT_HEADERS),
        "body": "",
        "isBase64Encoded": False,
    }


def json_answer(body: str) -> Answer:
    """Answer a script of ours."""
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", **_REDIRECT_HEADERS},
        "body": body,
        "isBase64Encoded": False,
    }


def set_cookie(name: str, value: str, *, seconds: int | None = None) -> str:
    """Return a Set-Cookie of this host alone, which no script reads and no other site's form sends.

    Parameters
    ----------
    seconds
        How long the browser keeps it, 0 to forget it; None for as long as the browser is open.
    """
    return f"{name}={value}; {_COOKIE_RULES}" + ("" if seconds is None else f"; Max-Age={seconds}")


def _sign_in_cookie(credential: Credential, login: Login) -> str:
    """Return the Set-Cookie that signs a browser in.

    It outlives the sign-in for as long as the login is remembered, so that a late
    visitor is recognised and sent to redirect_to_uri_on_expiry.
    """
    return set_cookie(COOKIE, str(credential), seconds=(login.lifetime + REMEMBERED_FOR) // SECOND)


def forget_cookies(event: Event) -> list[str]:
    """Return the Set-Cookies after which a browser is nobody's: without the sign-in, and without passes to sessions."""
    given = (name.removeprefix(PASS_COOKIE) for name in event.cookies if name.startswith(PASS_COOKIE))
    passes = [PASS_COOKIE + session_id for session_id in given if ids.is_object_id(session_id)]
    return [set_cookie(name, "", seconds=0) for name in (COOKIE, *passes)]


def _framed_by(account: Account | None, resource: str) -> tuple[str, ...]:
    if account is None or resource not in {*_FRAMED, _LEFT}:
        return ()
    return (OURSELVES, *account.frame_ancestors) if resource == _LEFT else account.frame_ancestors


def _texts(event: Event, locale: str | None, account: Account | None) -> Translation:
    # Imported with the first page, as the template engine: redeem makes one only when it refuses.
    from vestibule.languages import accepted, translation  # noqa: PLC0415

    return translation(locale, account.locale if account else None, *accepted(event.headers.get("accept-language")))


def _try_again(visit: Visit, status: int) -> Answer:
    """Answer that this did not work, with the account's face when it is remembered.

    It is not read now: a table that has just let us wait for all of its attempts
    would let us wait as long again, and beyond the function's own time.
    """
    headers: Mapping[str, str] = {"Retry-After": RETRY_AFTER} if status == 503 else {}  # noqa: PLR2004
    account = visit.house.accounts.remembered_at_slug(visit.slug)
    try:
        face = face_of(account) if account else NO_ACCOUNT
    except ValueError:
        face = NO_ACCOUNT
    again = addresses.with_query(visit.event.path, visit.event.query)
    retry_url = again if visit.event.method == "GET" else None
    around = Around(
        framed_by=_framed_by(account, visit.event.resource), has_token=visit.event.resource == _TOKEN_IN_FRAGMENT
    )
    texts = _texts(visit.event, None, account)
    return render(
        "unavailable.html", face, status=status, headers=headers, around=around, texts=texts, retry_url=retry_url
    )
