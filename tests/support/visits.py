"""A browser at the hub's functions, without a network: what it asks for, keeps and shows."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.support.events import CONTEXT, cookie_of, header, hub_event
from tests.support.portal import COOKIE

if TYPE_CHECKING:
    from tests.support.house import LoadFunction
    from vestibule.model import Account, User
    from vestibule.wiring import House

PAGES = {
    "/login/": ("redeem", "/login/{guid}", "guid"),
    "/account/autologin/": ("redeem", "/Account/AutoLogin/{guid}", "guid"),
    "/dashboard/rooms": ("waiting_rooms", "/dashboard/rooms", None),
    "/dashboard/p/": ("dashboard", "/Dashboard/P/{user_id}", "user_id"),
    "/dashboard": ("dashboard", "/dashboard", None),
    "/sign-in/state": ("sign_in", "/sign-in/state", None),
    "/sign-in/link/": ("mailed_links", "/sign-in/link/{token}", "token"),
    "/sign-in/link": ("mailed_links", "/sign-in/link", None),
    "/sign-in/password/": ("mailed_links", "/sign-in/password/{token}", "token"),
    "/sign-in/password": ("mailed_links", "/sign-in/password", None),
    "/sign-in": ("sign_in", "/sign-in", None),
    "/logout": ("logout", "/logout", None),
    "/p/": ("personal", "/p/{token}", "token"),
    "/s/": ("session_page", "/s/{session_id}", "session_id"),
    "/u/": ("room_door", "/u/{slug}", "slug"),
    "/account/logoffandredirect": ("logout", "/Account/LogOffAndRedirect", None),
}
"""Beginning of a path, in lower case -> the function, the route and its variable."""
PLANNING = (
    "/plan",
    "/plan/{session_id}",
    "/plan/{session_id}/{step}",
    "/plan/{session_id}/participants/{participant_id}/{step}",
)
"""Routes of the function `plan`, which have several variables."""
BELOW = {
    ("/u/{slug}", "state"): ("room_door", "/u/{slug}/state"),
    ("/s/{session_id}", "waiting"): ("room_door", "/s/{session_id}/waiting"),
}
"""Route of a page, and what its script asks for below it -> the function and the route."""


class Browser:
    """A browser with a cookie jar, which asks the function that the template would ask.

    Attributes
    ----------
    cookie
        The sign-in cookie's value.
    further
        The other cookies by name.
    """

    def __init__(self, function: LoadFunction, slug: str = "clinic", agent: str = "Firefox") -> None:
        self._function = function
        self.slug = slug
        self.agent = agent
        self.cookie: str | None = None
        self.further: dict[str, str] = {}

    def ask(self, address: str, method: str = "GET", **event: Any) -> dict[str, Any]:
        parts = urlsplit(address)
        folder, resource, values = self._page(parts.path)
        headers = {"User-Agent": self.agent, **event.pop("headers", {})}
        if self.further:
            held = {**self.further, **({COOKIE: self.cookie} if self.cookie else {})}
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in held.items())
        answer: dict[str, Any] = self._function(folder)(
            hub_event(
                method,
                parts.path,
                slug=self.slug,
                cookie=self.cookie,
                resource=resource,
                path_values=values,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers=headers,
                **event,
            ),
            CONTEXT,
        )
        given = cookie_of(answer)
        if given is not None:
            self.cookie = given or None
        for line in (answer.get("multiValueHeaders") or {}).get("Set-Cookie", ()):
            name, _, rest = line.partition("=")
            if name != COOKIE:
                self.further[name] = rest.partition(";")[0]
        return answer

    def post(self, address: str, shown: dict[str, Any], **fields: str) -> dict[str, Any]:
        """Send a page's form, filled in, as a browser does."""
        origin = f"https://{self.slug}.hub.vestibule.example"
        headers = {
            "Sec-Fetch-Site": "same-origin",
            "Origin": origin,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({"form_token": form_token(shown), **fields})
        return self.ask(address, "POST", headers=headers, body=body)

    def follow(self, address: str, **event: Any) -> dict[str, Any]:
        """Ask, and follow redirects inside the hub."""
        for _ in range(5):
            answer = self.ask(address, **event)
            address = header(answer, "location") or ""
            if answer["statusCode"] != 303 or not address.startswith("/"):
                return answer
        raise AssertionError(f"round and round: {address}")

    @staticmethod
    def _page(path: str) -> tuple[str, str, dict[str, str]]:
        for resource in PLANNING:
            found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", resource), path)
            if found:
                return "plan", resource, found.groupdict()
        for prefix, (folder, resource, variable) in PAGES.items():
            rest, _, below = path[len(prefix) :].partition("/")
            if variable and below and path.lower().startswith(prefix) and (resource, below) in BELOW:
                return *BELOW[resource, below], {variable: rest}
            rest = path[len(prefix) :]
            if path.lower().startswith(prefix) and (bool(rest) is (variable is not None)) and "/" not in rest:
                return folder, resource, {variable: rest} if variable else {}
        return "doorway", "/{proxy+}" if path != "/" else "/", {}


class SignIn:
    """Signs people in; each gets a browser."""

    def __init__(self, function: LoadFunction, house: House, account: Account) -> None:
        self._function = function
        self._house = house
        self._account = account

    def __call__(self, user: User, **fields: Any) -> Browser:
        """Follow a login URI, issued with further fields if there are any."""
        browser = Browser(self._function, self._account.slug)
        issued = self._house.login_uris.issue(self._account, user_id=user.user_id, **fields)
        assert browser.ask(f"/login/{issued.guid}")["statusCode"] == 303
        return browser


@pytest.fixture
def sign_in(function: LoadFunction, house: House, account: Account) -> SignIn:
    """A function that signs somebody in, in a browser of their own."""
    return SignIn(function, house, account)


def form_token(page: dict[str, Any]) -> str:
    """Return the token of a page's form."""
    found = re.search(r'name="form_token" value="([^"]*)"', page["body"])
    assert found is not None, "the page has no form"
    return unescape(found[1])


def text_of(answer: dict[str, Any]) -> str:
    """Return what a person reads on a page."""
    body = re.sub(r"(?s)<(style|script|title)\b.*?</\1>", " ", answer["body"])
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
