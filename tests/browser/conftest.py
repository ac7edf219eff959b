"""People with browsers: Chromium on the local stack's hub, and a site that stands for their portal.

The invariant: whatever a test does, no page of the hub may break its own Content-Security-Policy, log an error or
lack a security header: `visitors` checks every page that was opened, at the end of every test.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.portal import COOKIE
from tools.local.emulator import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Response

    from tests.support.portal import HandedOut, Portal
    from tests.support.stack import ChromiumLaunch
    from tools.local import Stack

PATIENCE_MS = 15_000
"""How long a page may take to come; far beyond what it takes, because the machine may be busy."""

ONE_RENDERER = ("--renderer-process-limit=1", "--disable-site-isolation-trials")
"""A process for every site takes longer to start than its pages; what is shown here rests on policies alone."""

ACCENT = "#7a1f4b"
HEADER = "#14213d"
LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40" viewBox="0 0 120 40">'
    b'<rect width="120" height="40" rx="8" fill="#fca311"/></svg>'
)

# Chromium's own remark on a document or file that came with a status of 400 or more.
STATUS_REMARK = re.compile(r"Failed to load resource: the server responded with a status of \d{3}")


FRAMED = re.compile(r"/(?:embed|p|r)/|/s/[^/]+/(?:left|register)$")
"""Pages that an account's own origins may frame."""


class PortalSite:
    """The portal's own web site: a loopback server that answers every address with a page and notes who asked.

    Attributes
    ----------
    pages
        HTML by path; every other path is a page that says "Portal".
    visits
        Path with query, and headers, of each request in the order of their arrival.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.visits: list[tuple[str, dict[str, str]]] = []
        handler = type("_BoundHandler", (_Handler,), {"site": self})
        self._server = ThreadingHTTPServer((HOST, 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="portal-site", daemon=True)

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port on the loopback address."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """The site's origin: another site than the hub's, to a browser."""
        return f"http://portal.localhost:{self.port}"

    def show(self, path: str, body: str) -> str:
        """Put a page on the site; return its address."""
        self.pages[path] = f'<!doctype html><html lang="en"><title>Portal</title>{body}'
        return self.url + path

    def visit_of(self, path: str) -> dict[str, str]:
        """Give the headers, by lower-case name, of the last request for a path with its query."""
        return next(headers for seen, headers in reversed(self.visits) if seen == path)


class _Handler(BaseHTTPRequestHandler):
    site: ClassVar[PortalSite]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.site.visits.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        path = urlsplit(self.path).path
        if path == "/favicon.ico":
            self._answer(204, "image/svg+xml", b"")
        elif path == "/logo.svg":
            self._answer(200, "image/svg+xml", LOGO)
        else:
            plain = '<!doctype html><html lang="en"><title>Portal</title><h1>Portal</h1>'
            self._answer(200, "text/html; charset=utf-8", self.site.pages.get(path, plain).encode())

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        # The logo is shown by another site's page, which asks for that to be allowed.
        self.send_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Keep the test's output for the tests."""


GRAVATAR = "https://gravatar.com/**"
OF_AN_OLDER_BROWSER = """delete AbortSignal.timeout;
window.FormData = class extends FormData { constructor(form) { super(form); } };"""


@dataclass
class Visitor:
    """A person with a browser of their own.

    Attributes
    ----------
    page
        Their first tab.
    hub_domain
        What the address of every account's hub ends with, port included.
    expected
        Texts that the browser's console may show, because the test provokes them.
    documents
        Status and address of every document of the hub that was loaded, redirects included.
    complaints
        What the browser found wrong.
    is_spent
        Nobody else may have this browser afterwards: something in it cannot be put back.
    """

    context: BrowserContext
    page: Page
    hub_domain: str
    handed_out: HandedOut
    expected: list[str] = field(default_factory=list)
    documents: list[tuple[int, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    is_spent: bool = False

    def __post_init__(self) -> None:
        """Collect what is to be collected."""
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("response", self._see)

    def new_tab(self) -> Page:
        """Open a further tab."""
        return self.context.new_page()

    def stop_the_clock(self) -> None:
        """Let time pass in this browser's pages only as the test says."""
        self.is_spent = True
        self.page.clock.install()

    def grow_old(self) -> None:
        """Take from this browser's pages what browsers had only from the middle of 2022 on."""
        self.is_spent = True
        self.context.add_init_script(OF_AN_OLDER_BROWSER)

    def without_gravatar(self) -> None:
        """Answer for Gravatar, which is another site of this wide world: no test goes there."""
        self.is_spent = True
        self.context.route(GRAVATAR, lambda route: route.fulfill(status=200, content_type="image/svg+xml"))

    def forget(self) -> None:
        """Clear the cookies."""
        self.cookie()
        self.context.clear_cookies()

    def arrive(self, portal: Portal, user_id: str | None = None, **fields: Any) -> str:
        """Follow a new login URI to its end; give the sign-in cookie's value."""
        self.page.goto(portal.issue_login_uri(user_id, **fields))
        return self.cookie()

    def cookie(self) -> str:
        """Give the sign-in cookie's value; an empty text when there is none."""
        found = next((one["value"] for one in self.context.cookies() if one["name"] == COOKIE), "")
        self.handed_out.note_cookie(found)
        return found

    def heading(self, tab: Page | None = None) -> str:
        """Give the text of a tab's only h1."""
        return (tab or self.page).get_by_role("heading", level=1).inner_text()

    def leave(self) -> list[str]:
        """Put the browser back as it was; give the complaints."""
        self.forget()
        for tab in self.context.pages:
            if tab is not self.page:
                tab.close()
        self.page.goto("about:blank")
        self.context.clear_cookies()  # what came in last
        complaints = list(self.complaints)
        for collected in (self.expected, self.documents, self.complaints):
            collected.clear()
        return complaints

    def _hear(self, message: ConsoleMessage) -> None:
        text = message.text
        is_known = STATUS_REMARK.match(text) or any(known in text for known in self.expected)
        if message.type in {"error", "warning"} and not is_known:
            self.complaints.append(f"{message.type}: {text}")

    def _see(self, response: Response) -> None:
        is_hub = urlsplit(response.url).netloc.endswith(self.hub_domain)
        if not is_hub or response.request.resource_type != "document":
            return
        self.documents.append((response.status, response.url))
        if "html" in response.headers.get("content-type", ""):
            is_framed = bool(FRAMED.match(urlsplit(response.url).path))
            faults = header_faults(response.headers, may_be_framed=is_framed)
            self.complaints += [f"{response.url}: {fault}" for fault in faults]


def header_faults(headers: dict[str, str], *, may_be_framed: bool = False) -> list[str]:
    """Tell what a page's headers lack (H01)."""
    rules = (rule.split() for rule in headers.get("content-security-policy", "").split(";"))
    policy = {name: [source for source in sources if source != "'none'"] for name, *sources in rules if name}
    wanted = {
        "a policy that allows nothing else": policy.get("default-src") == [],
        "a policy without unsafe-inline": "unsafe" not in headers.get("content-security-policy", ""),
        "no frames": policy.get("frame-ancestors") == [] or (may_be_framed and "*" not in policy["frame-ancestors"]),
        "no other base": policy.get("base-uri") == [],
        "HSTS": "max-age=" in headers.get("strict-transport-security", ""),
        "nosniff": headers.get("x-content-type-options") == "nosniff",
        "COOP": headers.get("cross-origin-opener-policy") == "same-origin",
        "no-store": headers.get("cache-control") == "no-store",
        "a referrer policy": headers.get("referrer-policy") in {"no-referrer", "same-origin"},
    }
    return [f"lacks {name}" for name, is_there in wanted.items() if not is_there]


@pytest.fixture(scope="package")
def playwright() -> Generator[Playwright]:
    """What drives the browsers."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright, chromium: ChromiumLaunch) -> Generator[Browser]:
    """One Chromium for nearly all tests here; each visitor has a context of their own."""
    with _launched(playwright, chromium) as one:
        yield one


@pytest.fixture(scope="package")
def whole_browser(playwright: Playwright, whole_chromium: ChromiumLaunch) -> Generator[Browser]:
    """A Chromium whose private windows block third-party cookies; its headless shell has no windows to be private."""
    with _launched(playwright, whole_chromium) as one:
        yield one


@contextlib.contextmanager
def _launched(playwright: Playwright, chromium: ChromiumLaunch) -> Generator[Browser]:
    args = [*chromium["args"], *ONE_RENDERER]
    launched = playwright.chromium.launch(executable_path=chromium["executable_path"], args=args)
    yield launched
    launched.close()


@pytest.fixture(scope="package")
def portal_site() -> Generator[PortalSite]:
    """The web site that visitors come from and go back to."""
    with PortalSite() as site:
        yield site


@pytest.fixture(scope="package")
def clinic(open_portal: Callable[..., Portal], portal_site: PortalSite) -> Portal:
    """An account with all of its branding, shared by the tests that change nothing about it."""
    return open_portal(
        name="Lakeside Clinic",
        redirect_uris=[portal_site.url],
        portal_url=f"{portal_site.url}/",
        logo_url=f"{portal_site.url}/logo.svg",
        colors={"accent": ACCENT, "header": HEADER},
        navigation=[
            {"label": "Appointments", "url": f"{portal_site.url}/appointments"},
            {"label": "Help", "url": f"{portal_site.url}/help"},
        ],
    )


@pytest.fixture(scope="module")
def staged_clinic(open_portal: Callable[..., Portal], portal_site: PortalSite) -> Portal:
    """An account whose stage is a page of the portal's own site, which is gone to: test_embed.py shows it in place."""
    return open_portal(
        name="Lakeside Clinic",
        redirect_uris=[portal_site.url],
        portal_url=f"{portal_site.url}/",
        stage={
            "kind": "url",
            "url": f"{portal_site.url}/stage/{{session_id}}?role={{role}}#grant={{grant}}",
            "in_place": False,
        },
    )


@pytest.fixture(scope="package")
def plain_clinic(open_portal: Callable[..., Portal]) -> Portal:
    """An account that has chosen nothing: no logo, no colours, no portal to go back to."""
    return open_portal(name="Hillside School", redirect_uris=[], portal_url=None)


@pytest.fixture(scope="package")
def _idle_browsers() -> Generator[dict[str, list[Visitor]]]:
    """Browsers that nobody uses just now, by their options: making a new one costs a second."""
    idle: dict[str, list[Visitor]] = defaultdict(list)
    yield idle
    for visitor in (one for many in idle.values() for one in many):
        visitor.context.close()


@pytest.fixture
def visitors(
    browser: Browser, stack: Stack, handed_out: HandedOut, _idle_browsers: dict[str, list[Visitor]]
) -> Generator[Callable[..., Visitor]]:
    """A function that gives a new person with a browser: `visitors(color_scheme="dark")`."""
    present: list[tuple[str, Visitor]] = []
    hub_domain = stack.hub_origin.partition("{slug}.")[2]

    def come_in(**options: Any) -> Visitor:
        # No colour is half way to another one when it is looked at.
        options.setdefault("reduced_motion", "reduce")
        kind = repr(sorted(options.items()))
        if _idle_browsers[kind]:
            visitor = _idle_browsers[kind].pop()
        else:
            context = browser.new_context(**options)
            context.set_default_timeout(PATIENCE_MS)
            visitor = Visitor(context, context.new_page(), hub_domain, handed_out)
        present.append((kind, visitor))
        return visitor

    yield come_in
    complaints = []
    for kind, visitor in present:
        complaints += visitor.leave()
        if visitor.is_spent:
            visitor.context.close()
        else:
            _idle_browsers[kind].append(visitor)
    assert complaints == []


@pytest.fixture
def visitor(visitors: Callable[..., Visitor]) -> Visitor:
    """A person with a browser of their own."""
    return visitors()
