"""Sessions in a frame of the portal's page: two sites, and a browser that lets the inner one keep nothing.

The browser blocks third-party cookies, which the first test shows of it before anything else rests on that.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PortalSite, Visitor
from tests.support.looks import assert_looks_right
from vestibule.domain.phases import OPENS_BEFORE
from vestibule.domain.seats import INTERVAL

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Frame, FrameLocator, Page, Route

    from tests.support.portal import HandedOut, Portal
    from tests.support.stack import Fresh
    from tools.local import Stack

EARLY_SECONDS = 6
TRIES = 5
A_BEAT_MS = INTERVAL + 500
A_MINUTE_MS = 61_000
ADA = {"user_id": "mrn-7", "user_name": "Ada Lovelace", "user_email": "ada@example.org"}
LISTENS = """<script>
window.told = [];
addEventListener("message", ({ origin, data }) => window.told.push({ origin, ...data }));
</script>"""
ALLOW = "camera; microphone; display-capture; fullscreen; autoplay"


@pytest.fixture
def visitor(whole_browser: Browser, stack: Stack, handed_out: HandedOut) -> Generator[Visitor]:
    """A person whose browser blocks third-party cookies, as Chromium does in a private window."""
    context = whole_browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    # Gravatar is another site of this wide world: no test goes there.
    context.route("https://gravatar.com/**", lambda route: route.fulfill(status=200, content_type="image/svg+xml"))
    someone = Visitor(context, context.new_page(), stack.hub_origin.partition("{slug}.")[2], handed_out)
    yield someone
    complaints = someone.leave()
    context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def clinic(open_portal: Callable[..., Portal], portal_site: PortalSite) -> Portal:
    """An account that frames its sessions, and whose stage is a page of the portal's own site."""
    return open_portal(
        name="Lakeside Clinic",
        redirect_uris=[portal_site.url],
        portal_url=f"{portal_site.url}/",
        frame_ancestors=[portal_site.url],
        stage={"kind": "url", "url": f"{portal_site.url}/stage/{{session_id}}?role={{role}}#grant={{grant}}"},
    )


class Embedding:
    """A session of the clinic's, and the portal's page around it."""

    def __init__(
        self, portal: Portal, site: PortalSite, handed_out: HandedOut, *, opens_in: float = -60, **fields: Any
    ) -> None:
        self.portal = portal
        self.site = site
        self._handed_out = handed_out
        self.host = str(portal.create_user(full_name="Dr. Mia Lindqvist")["id"])
        starts_at = datetime.now(UTC) + timedelta(seconds=opens_in, milliseconds=OPENS_BEFORE)
        body = {
            "title": "Open lecture",
            "host": {"user_id": self.host},
            "starts_at": starts_at.isoformat(),
            "participants": [{"full_name": "Ben Okafor", "email": "ben@example.org"}],
            **fields,
        }
        answer = portal.api.post("/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        self.session = answer.json()
        self.id = self.session["id"]
        self.guest = self.session["participants"][1]
        handed_out.note("personal link", self.guest["personal_link"].rpartition("/")[2])

    def url(self, **who: Any) -> str:
        """Give a new address for a frame."""
        answer = self.portal.api.post(f"/v1/sessions/{self.id}/embeds", json={**ADA, **who})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    def registrant(self, email: str = "grace@example.org") -> str:
        """Register somebody; give their link."""
        body = {"name": "Grace Hopper", "email": email}
        answer = self.portal.api.post(f"/v1/sessions/{self.id}/registrants", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["join_url"])

    def show(self, page: Page, address: str, path: str = "/course") -> FrameLocator:
        """Open the portal's page with a frame that shows an address."""
        frame = f'<iframe id="session" src="{address}" allow="{ALLOW}" width="800" height="600"></iframe>'
        page.goto(self.site.show(path, f"<h1>Course</h1>{LISTENS}{frame}"))
        return page.frame_locator("#session")


@pytest.fixture
def embedding(clinic: Portal, portal_site: PortalSite, handed_out: HandedOut) -> Callable[..., Embedding]:
    """A function that plans a session, open since a minute unless told otherwise."""
    return lambda portal=clinic, **fields: Embedding(portal, portal_site, handed_out, **fields)


def told(page: Page) -> list[str]:
    """Give the kinds of events that the portal's page was told, in order."""
    return list(page.evaluate("window.told.map(one => one.type)"))


def expect_told(page: Page, *kinds: str) -> None:
    page.wait_for_function("count => window.told.length >= count", arg=len(kinds))
    assert told(page) == list(kinds)


def hub_frame(page: Page) -> Frame:
    """Give the hub's frame in the portal's page."""
    return next(frame for frame in page.frames if ".hub." in frame.url)


def stage_in(frame: FrameLocator) -> FrameLocator:
    return frame.frame_locator(".frame iframe")


def expect_stage(frame: FrameLocator) -> None:
    expect(stage_in(frame).get_by_role("heading", name="Portal")).to_be_visible()


# --- E08: the embed page ---


@pytest.mark.req("E08", "E03")
def test_a_session_opens_in_place_on_another_site_with_third_party_cookies_blocked(
    visitor: Visitor, embedding: Callable[..., Embedding], portal_site: PortalSite
) -> None:
    # Given: a browser in which a frame of another site can keep nothing
    page = visitor.page
    other = portal_site.show(
        "/keeps", '<script>document.cookie = "a=1; SameSite=None; Secure"; document.title = document.cookie</script>'
    ).replace("portal.localhost", "elsewhere.localhost")
    page.goto(portal_site.show("/blocks", f'<iframe src="{other}"></iframe>'))
    assert page.frames[1].title() == ""

    # When
    planned = embedding()
    frame = planned.show(page, planned.url())

    # Then: the stage is there, in the hub's page, with who it is
    expect_stage(frame)
    stage = next(one for one in page.frames if "/stage/" in one.url)
    assert stage.url.startswith(f"{portal_site.url}/stage/{planned.id}?role=attendee#grant=ey")
    assert stage.parent_frame == hub_frame(page)
    assert "referer" not in portal_site.visit_of(f"/stage/{planned.id}?role=attendee")
    # and the token is in no address any more, and no cookie in the browser
    assert hub_frame(page).url.endswith(f"/embed/{planned.id}")
    assert visitor.context.cookies() == []
    # and the portal was told, by the hub
    expect_told(page, "ready", "joined")
    origins = {one["origin"] for one in page.evaluate("window.told")}
    assert origins == {planned.portal.hub_url}
    assert page.evaluate("window.told[1].role") == "attendee"


@pytest.mark.req("E08", "E03")
def test_who_is_early_sees_who_they_are_and_how_long_it_takes(
    visitor: Visitor, embedding: Callable[..., Embedding]
) -> None:
    early = embedding(opens_in=7_200)

    frame = early.show(visitor.page, early.url())

    expect(frame.get_by_role("heading", level=1)).to_have_text("Open lecture")
    expect(frame.get_by_text("You come in as Ada Lovelace.")).to_be_visible()
    expect(frame.get_by_role("timer")).to_be_visible()
    assert frame.locator("img.picture").get_attribute("src", timeout=PATIENCE_MS) is not None


@pytest.mark.req("E08")
def test_who_is_early_is_taken_in(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    soon = embedding(opens_in=EARLY_SECONDS)

    frame = soon.show(visitor.page, soon.url())

    expect_stage(frame)


@pytest.mark.req("E08")
def test_no_other_site_may_frame_it(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    page = visitor.page
    visitor.expected.append("frame-ancestors")
    planned = embedding()

    planned.show(page, planned.url())  # written down
    page.goto(page.url.replace("portal.localhost", "evil.localhost"))
    page.wait_for_load_state("networkidle")

    assert [frame.url for frame in page.frames if "/stage/" in frame.url] == []
    assert page.evaluate("window.told") == []


@pytest.mark.req("E08", "H04")
def test_without_a_token_or_with_a_wrong_one_the_frame_says_what_to_do(
    visitor: Visitor, embedding: Callable[..., Embedding]
) -> None:
    page = visitor.page
    planned = embedding()
    address = f"{planned.portal.hub_url}/embed/{planned.id}"

    frame = planned.show(page, address)
    expect(frame.get_by_text("so it cannot let you in")).to_be_visible()
    expect_told(page, "error")
    assert page.evaluate("window.told[0].code") == "no_token"

    frame = planned.show(page, f"{address}#token=a.b.c", "/again")
    expect(frame.get_by_role("heading", level=1)).to_have_text("This page can no longer let you in")
    expect_told(page, "error")
    assert page.evaluate("window.told[0].code") == "refused"
    expect(frame.get_by_role("link", name="Go to Lakeside Clinic")).to_have_attribute("target", "_top")


UNREADABLE = "#token=a.b.c"
OUTCOMES: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "over": ({"opens_in": -720, "duration_minutes": 1}, "This session is over", "closed"),
    "cancelled": ({}, "This session was cancelled", "closed"),
    "unknown": ({}, "There is no such session", "closed"),
    "refused": ({}, "This page can no longer let you in", "refused"),
    "registration": ({"opens_in": 7_200, "registration": {"public": True}}, "Open lecture", None),
}
FORGOTTEN = """addEventListener("DOMContentLoaded", () => {
  if (location.pathname.startsWith("/embed/")) history.replaceState({ ...history.state, first: location.href }, "");
});"""


@pytest.mark.req("E08", "L06")
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_whatever_the_frame_shows_its_address_has_lost_the_token_by_then(
    visitor: Visitor, embedding: Callable[..., Embedding], outcome: str
) -> None:
    # given
    page = visitor.page
    page.add_init_script(FORGOTTEN)
    fields, heading, code = OUTCOMES[outcome]
    planned = embedding(**fields)
    session_id = "99999999" if outcome == "unknown" else planned.id
    if outcome == "cancelled":
        assert planned.portal.api.delete(f"/v1/sessions/{planned.id}").status_code == 204
    address = f"{planned.portal.hub_url}/embed/{session_id}"
    # when
    frame = planned.show(page, f"{address}#else=a.b.c" if outcome == "registration" else f"{address}{UNREADABLE}")
    # then
    expect(frame.get_by_role("heading", level=1)).to_have_text(heading)
    if outcome == "registration":
        assert hub_frame(page).url == f"{planned.portal.hub_url}/s/{planned.id}/register"
        return
    assert hub_frame(page).evaluate("[history.state.first, location.href]") == [address, address]
    # and: the portal hears why
    expect_told(page, "error")
    assert page.evaluate("window.told[0].code") == code
    # and: another one is not kept either
    hub_frame(page).evaluate("location.hash = 'token=d.e.f'")
    hub_frame(page).wait_for_function("!location.hash")


@pytest.mark.req("E08")
def test_with_a_token_in_a_tab_somebody_has_to_say_that_they_want_in(
    visitor: Visitor, embedding: Callable[..., Embedding]
) -> None:
    page, planned = visitor.page, embedding()
    page.goto(planned.url())
    expect(page.get_by_text("You come in as Ada Lovelace")).to_be_visible()
    assert planned.portal.api.get(f"/v1/sessions/{planned.id}/presence").json()["items"] == []
    _join(page)


@pytest.mark.req("E08")
def test_the_same_session_opens_in_a_tab_of_its_own(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    """Where the portal's page gives a frame no camera, say; the frame makes room at its next beat."""
    page = visitor.page
    planned = embedding()
    frame = planned.show(page, planned.url())
    expect_stage(frame)

    with visitor.context.expect_page() as opened:
        frame.get_by_role("link", name="Open in a new tab").click()

    tab = opened.value
    expect(tab.frame_locator(".frame iframe").get_by_role("heading", name="Portal")).to_be_visible()
    assert tab.url == f"{planned.portal.hub_url}/embed/{planned.id}"


@pytest.mark.req("E08", "R01")
def test_the_portal_hears_of_a_failure_to_go_in_and_of_the_next_try(
    visitor: Visitor, embedding: Callable[..., Embedding]
) -> None:
    # given
    page, planned = visitor.page, embedding()
    fail_once(visitor, f"**/embed/{planned.id}", "join=1")
    # when
    frame = planned.show(page, planned.url())
    # then
    expect(frame.get_by_text("That did not work. Please check your connection")).to_be_visible()
    expect_told(page, "ready", "error")
    assert page.evaluate("window.told[1].code") == "unavailable"
    # and
    frame.get_by_role("button", name="Join the session").click()
    expect_stage(frame)
    expect_told(page, "ready", "error", "joined")


def fail_once(visitor: Visitor, address: str, holding: str) -> None:
    """Let the next POST to an address fail whose body holds a text."""
    visitor.expected.append("503")
    failed: list[str] = []

    def answer(route: Route) -> None:
        body = route.request.post_data or ""
        if failed or holding not in body:
            route.fallback()
        else:
            failed.append(body)
            route.fulfill(status=503)

    visitor.context.route(address, answer)


# --- E10: links that prove themselves ---


@pytest.mark.req("E10", "E05")
def test_a_registrants_link_leads_straight_in_in_a_frame(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    page = visitor.page
    planned = embedding()

    frame = planned.show(page, planned.registrant())

    expect_stage(frame)
    expect_told(page, "ready", "joined")
    assert visitor.context.cookies() == []


@pytest.mark.req("E10", "E05", "S02")
def test_a_registrants_link_in_a_plain_tab_waits_for_a_click(
    visitor: Visitor, embedding: Callable[..., Embedding]
) -> None:
    page = visitor.page
    planned = embedding()

    page.goto(planned.registrant())
    page.wait_for_load_state("networkidle")
    assert visitor.heading() == "Open lecture"
    page.get_by_role("button", name="Join the session").click()

    expect(page.frame_locator(".frame iframe").get_by_role("heading", name="Portal")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="You are in the session.")).to_be_visible()


@pytest.mark.req("E10")
def test_a_personal_link_works_in_a_frame(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    page = visitor.page
    planned = embedding()

    frame = planned.show(page, planned.guest["personal_link"])
    frame.get_by_role("button", name="Join the session").click()

    expect_stage(frame)
    expect_told(page, "ready", "joined")
    assert visitor.context.cookies() == []


# --- registering ---


@pytest.mark.req("E08", "E11")
def test_who_comes_without_a_token_registers_in_the_frame_when_the_session_takes_registrations(
    visitor: Visitor, embedding: Callable[..., Embedding]
) -> None:
    page = visitor.page
    planned = embedding(opens_in=7_200, registration={"public": True})
    address = f"{planned.portal.hub_url}/embed/{planned.id}"

    frame = planned.show(page, address)
    frame.get_by_label("Your name").fill("Grace Hopper")
    frame.get_by_label("Your e-mail address").fill("grace@example.org")
    frame.get_by_role("button", name="Register").click()

    expect(frame.get_by_role("heading", level=1)).to_have_text("Please look into your mail")
    assert visitor.context.cookies() == []
    found = planned.portal.api.get(f"/v1/sessions/{planned.id}/registrants").json()["items"]
    assert [one["email"] for one in found] == ["grace@example.org"]
    assert found[0]["join_url"] not in hub_frame(page).content()


# --- E06: one seat ---


@pytest.mark.req("E06", "H04")
def test_a_kicked_page_says_why_and_takes_the_seat_back(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    # Given
    visitor.stop_the_clock()
    page, planned = visitor.page, embedding()
    frame = planned.show(page, planned.url(user_email="grace@example.org"))
    expect_stage(frame)
    # When: the same person by another entrance
    tab = visitor.new_tab()
    tab.clock.install()
    tab.goto(planned.registrant())
    tab.get_by_role("button", name="Join the session").click()
    expect(tab.get_by_role("status").filter(has_text="You are in the session.")).to_be_visible()
    page.clock.fast_forward(A_BEAT_MS)
    # Then
    expect(frame.get_by_role("heading", level=1)).to_have_text("You joined from another page")
    expect(frame.locator(".frame iframe")).to_have_count(0)
    expect_told(page, "ready", "joined", "kicked")
    # And
    frame.get_by_role("button", name="Take the seat back").click()
    expect_stage(frame)
    tab.clock.fast_forward(A_BEAT_MS)
    expect(tab.get_by_role("heading", level=1)).to_have_text("You joined from another page")
    # And: loaded again, the kicked page does not kick back by itself
    tab.reload()
    expect(tab.get_by_role("heading", level=1)).to_have_text("You joined from another page")
    page.clock.fast_forward(A_BEAT_MS)
    expect_stage(frame)


@pytest.mark.req("L12")
def test_who_sits_in_a_session_stays_signed_in(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    """Nobody touches the hub's pages while the session goes on."""
    visitor.stop_the_clock()
    page, planned = visitor.page, embedding()
    visitor.arrive(planned.portal, planned.host, next=f"/s/{planned.id}?launch=1")
    expect_stage_in_tab(page)

    with page.expect_response("**/sign-in/state?seated=1&*") as asked:
        page.clock.fast_forward(A_MINUTE_MS)

    assert asked.value.json() == {"state": "here"}


@pytest.mark.req("E06")
def test_a_reload_goes_on_and_asks_nothing(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    page = visitor.page
    planned = embedding()
    page.goto(planned.registrant())
    page.get_by_role("button", name="Join the session").click()
    stage = page.frame_locator(".frame iframe").get_by_role("heading", name="Portal")
    expect(stage).to_be_visible()

    page.reload()

    expect(stage).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="You are in the session.")).to_be_visible()


@pytest.mark.req("E06")
def test_a_frame_that_is_loaded_again_goes_on_without_its_token(
    visitor: Visitor, embedding: Callable[..., Embedding]
) -> None:
    page = visitor.page
    planned = embedding()
    frame = planned.show(page, planned.url())
    expect_stage(frame)

    hub_frame(page).evaluate("location.reload()")

    expect_told(page, "ready", "joined", "ready", "joined")
    expect_stage(frame)


@pytest.mark.req("E06", "E07")
def test_who_leaves_makes_room_at_once_and_may_come_back(
    visitor: Visitor, open_portal: Callable[..., Portal], embedding: Callable[..., Embedding], portal_site: PortalSite
) -> None:
    """By the button, by the stage's own way out, and by closing the tab: with reject_new any of them shows."""
    strict = open_portal(
        seat_policy="reject_new",
        frame_ancestors=[portal_site.url],
        stage={"kind": "url", "url": f"{portal_site.url}/stage/{{session_id}}?back={{return_url}}#{{grant}}"},
    )
    page, planned = visitor.page, embedding(strict)
    portal_site.pages[f"/stage/{planned.id}"] = (
        '<!doctype html><title>Stage</title><h1>Portal</h1><script>addEventListener("click", () => '
        'location.assign(new URLSearchParams(location.search).get("back")))</script>'
    )
    frame = planned.show(page, planned.url())
    expect_stage(frame)
    # While one page sits there, the other is told
    tab = visitor.new_tab()
    tab.goto(planned.url())
    tab.get_by_role("button", name="Join the session").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("You are in this session already")
    # The button
    frame.get_by_role("button", name="Leave").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("You have left the session")
    come_in(tab)
    # The tab is closed
    tab.close()
    come_in(frame)
    # The stage's own way out
    stage_in(frame).get_by_role("heading", name="Portal").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("You have left the session")
    page.wait_for_function("window.told.at(-1).type === 'left'")
    # by the way it may have heard that the other page was still there
    assert [kind for kind in told(page) if kind != "kicked"] == ["ready", "joined", "left", "joined", "left"]


@pytest.mark.req("E06")
def test_a_page_that_was_not_heard_of_goes_in_again_and_goes_on_trying(
    visitor: Visitor, embedding: Callable[..., Embedding]
) -> None:
    # given: a page in its seat
    visitor.stop_the_clock()
    page, planned = visitor.page, embedding()
    frame = planned.show(page, planned.url())
    expect_stage(frame)
    # when: it hears that the seat has lapsed, and the first way back fails
    said = json.dumps({"state": "unseated", "reason": "left"})
    visitor.context.route("**/seat", lambda route: route.fulfill(body=said, content_type="application/json"), times=2)
    fail_once(visitor, f"**/embed/{planned.id}", "join=1")
    page.clock.fast_forward(A_BEAT_MS)
    expect(frame.get_by_role("alert").filter(has_text="That did not work")).to_be_visible()
    page.clock.fast_forward(A_BEAT_MS)
    # then
    expect(frame.get_by_role("alert").filter(has_text="That did not work")).to_have_count(0)
    expect_stage(frame)
    expect_told(page, "ready", "joined", "joined")


@pytest.mark.req("E06", "E08")
def test_another_token_in_the_same_frame_keeps_the_seat_of_the_same_person_and_leaves_that_of_another(
    visitor: Visitor, open_portal: Callable[..., Portal], embedding: Callable[..., Embedding], portal_site: PortalSite
) -> None:
    # given: an account that lets nobody come in anybody's place
    strict = open_portal(
        seat_policy="reject_new",
        frame_ancestors=[portal_site.url],
        stage={"kind": "url", "url": f"{portal_site.url}/stage/{{session_id}}#{{grant}}"},
    )
    page, planned = visitor.page, embedding(strict)
    frame = planned.show(page, planned.url())
    expect_stage(frame)
    # when
    give_another(page, planned.url())
    # then
    expect_told(page, "ready", "joined", "ready", "joined")
    expect_stage(frame)
    assert who_is_in(planned) == ["Ada Lovelace"]
    # when
    give_another(page, planned.url(user_id="mrn-8", user_name="Ben Okafor", user_email="ben@example.org"))
    # then
    expect_told(page, "ready", "joined", "ready", "joined", "ready", "joined")
    expect_stage(frame)
    deadline = time.monotonic() + PATIENCE_MS / 1_000
    while who_is_in(planned) != ["Ben Okafor"]:
        assert time.monotonic() < deadline, who_is_in(planned)
        page.wait_for_timeout(100)


def give_another(page: Page, address: str) -> None:
    """Change nothing of the frame's address but the fragment, as the portal may."""
    page.evaluate("address => { document.querySelector('#session').src = address }", address)


def who_is_in(planned: Embedding) -> list[str]:
    items = planned.portal.api.get(f"/v1/sessions/{planned.id}/presence").json()["items"]
    return [item["name"] for item in items]


def come_in(place: Page | FrameLocator) -> None:
    """Ask for the seat until it is free: what frees it is on its way while this page asks already."""
    stage = place.frame_locator(".frame iframe").get_by_role("heading", name="Portal")
    again = place.locator("[data-return]")
    for _ in range(TRIES):
        if again.is_visible():
            again.click()
        with contextlib.suppress(AssertionError):
            expect(stage).to_be_visible(timeout=PATIENCE_MS / TRIES)
            return
    expect(stage).to_be_visible()


def expect_stage_in_tab(tab: Page) -> None:
    expect(tab.frame_locator(".frame iframe").get_by_role("heading", name="Portal")).to_be_visible()


@pytest.mark.req("E03")
def test_a_new_role_reaches_the_open_page_and_its_stage(
    visitor: Visitor, embedding: Callable[..., Embedding], portal_site: PortalSite, fresh: Fresh
) -> None:
    visitor.stop_the_clock()
    page, planned = visitor.page, embedding()
    frame = planned.show(page, planned.url())
    expect_stage(frame)

    planned.portal.api.patch(f"/v1/sessions/{planned.id}", json={"presenters": [ADA["user_email"]]})
    fresh("SeatFunction")  # which may remember the session for five seconds
    page.clock.fast_forward(A_BEAT_MS)

    expect(frame.get_by_role("status").filter(has_text="You are a presenter.")).to_be_visible()
    page.wait_for_function("window.told.at(-1).type === 'role' && window.told.at(-1).role === 'presenter'")
    expect_stage(frame)
    assert portal_site.visit_of(f"/stage/{planned.id}?role=presenter")


# --- every state of the page ---


def _join(page: Page) -> None:
    page.get_by_role("button", name="Join the session").click()
    expect_stage_in_tab(page)


def _leave(page: Page) -> None:
    _join(page)
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have left the session")


def _registered(page: Page) -> None:
    page.get_by_label("Your name").fill("A")
    page.get_by_label("Your e-mail address").fill("a@example.org")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please look into your mail")


STATES: dict[str, tuple[Callable[[Embedding], str], Callable[[Page], None]]] = {
    "waiting": (lambda one: one.url(), lambda page: expect(page.get_by_role("timer")).to_be_visible()),
    "nobody": (
        lambda one: f"{one.portal.hub_url}/embed/{one.id}",
        lambda page: expect(page.get_by_text("so it cannot let you in")).to_be_visible(),
    ),
    "refused": (
        lambda one: f"{one.portal.hub_url}/embed/{one.id}#token=x",
        lambda page: expect(page.get_by_text("It was made for one session")).to_be_visible(),
    ),
    "register": (
        lambda one: f"{one.portal.hub_url}/s/{one.id}/register",
        lambda page: expect(page.get_by_role("button", name="Register")).to_be_visible(),
    ),
    "registered": (lambda one: f"{one.portal.hub_url}/s/{one.id}/register", _registered),
    "live": (lambda one: one.url(), _join),
    "left": (lambda one: one.url(), _leave),
}


@pytest.mark.req("H01", "H02", "H03", "H04")
@pytest.mark.parametrize("name", STATES)
def test_every_state_of_the_page_can_be_used(visitor: Visitor, embedding: Callable[..., Embedding], name: str) -> None:
    """In light and dark axe finds nothing; no width makes it scroll sideways; every target can be hit."""
    page = visitor.page
    address, reach = STATES[name]
    long_title = "Donaudampfschifffahrt" * 4
    fields = {"registration": {"public": True}} if name.startswith("regist") else {}
    page.goto(address(embedding(opens_in=7_200 if name == "waiting" else -60, title=long_title, **fields)))
    reach(page)
    page.evaluate("document.querySelector('.frame iframe')?.remove()")  # the portal's own page
    assert_looks_right(page)


@pytest.mark.req("H02")
def test_the_page_is_small(visitor: Visitor, embedding: Callable[..., Embedding]) -> None:
    """The page itself with all of its scripts, as they cross the line uncompressed."""
    sizes: list[int] = []
    visitor.page.on("response", lambda answer: sizes.append(len(answer.body())) if ".hub." in answer.url else None)
    planned = embedding(opens_in=7_200)

    visitor.page.goto(planned.url())
    expect(visitor.page.get_by_role("timer")).to_be_visible()

    assert re.search(r"/embed/\d+$", visitor.page.url)
    assert sum(sizes) < 2 * 60 * 1_024
    assert max(sizes) < 60 * 1_024
