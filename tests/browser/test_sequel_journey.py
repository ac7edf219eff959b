"""Sequel's use cases as the vendor tells them: from a page of the portal's own to the stage, and to the analytics."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.sequel import API, Sequel
from vestibule.domain.seats import INTERVAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import FrameLocator, Page

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal

pytestmark = pytest.mark.req("D04")

ALLOW = "camera; microphone; display-capture; fullscreen; autoplay"
SCRIPT = """
const { base, credentials, who, allow } = JSON.parse(document.getElementById("settings").textContent);
const call = async (method, path, body, token) => {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  return answer.json();
};
const { access_token } = await call("POST", "/oauth/token", credentials);
const events = await call("GET", `/v1/company/${credentials.client_id}/events`, undefined, access_token);
const gone = await call("GET", "/v1/event/12345678", undefined, access_token);
document.getElementById("refused").textContent = gone.errorMessage;
for (const event of events) {
  const button = document.body.appendChild(document.createElement("button"));
  button.textContent = event.name;
  button.onclick = async () => {
    const url = await call("POST", `/v1/event/${event.uid}/embedCode`, who, access_token);
    const frame = Object.assign(document.createElement("iframe"), { id: "session", src: url, allow });
    document.body.append(frame);
  };
}
"""


@pytest.fixture(scope="module")
def company(open_portal: Callable[..., Portal], portal_site: PortalSite) -> Portal:
    """An account whose pages call the API and frame its events, with a stage on the portal's own site."""
    return open_portal(
        name="Lakeside Events",
        allowed_origins=[portal_site.url],
        frame_ancestors=[portal_site.url],
        stage={"kind": "url", "url": f"{portal_site.url}/stage/{{session_id}}?role={{role}}#grant={{grant}}"},
    )


@pytest.fixture
def somebody(visitors: Callable[..., Visitor]) -> Callable[[], Visitor]:
    """A function that gives a person whose browser finds Gravatar without leaving the machine."""

    def come_in() -> Visitor:
        one = visitors()
        one.is_spent = True
        one.context.route("https://gravatar.com/**", lambda it: it.fulfill(status=200, content_type="image/svg+xml"))
        return one

    return come_in


def webinar(sequel: Sequel, name: str, **members: Any) -> dict[str, Any]:
    """Create an event that has just begun."""
    now = datetime.now(UTC)
    times = {"startDate": now.isoformat(), "endDate": (now + timedelta(hours=1)).isoformat()}
    return sequel.event(name=name, **times, **members)


def framed(page: Page, site: PortalSite, path: str, address: str) -> FrameLocator:
    """Open a page of the portal's that has an address in an iframe."""
    page.goto(site.show(path, f'<h1>Course</h1><iframe id="session" src="{address}" allow="{ALLOW}"></iframe>'))
    return page.frame_locator("#session")


def expect_stage(place: FrameLocator) -> None:
    expect(place.frame_locator(".frame iframe").get_by_role("heading", name="Portal")).to_be_visible()


def activities(sequel: Sequel, event_id: str) -> dict[str, dict[str, Any]]:
    """Read the event's analytics as the vendor's clients do, page by page; give the visits by address."""
    items: list[dict[str, Any]] = []
    page, count = 1, 1
    while True:
        path = f"/analytics/events/{event_id}/user-activity?count={count}&page={page}"
        found = sequel.post(path).json()["items"]
        items += found
        if len(found) < count:
            return {item["userEmail"]: item for item in items}
        page += 1


@pytest.mark.req("P09", "E03", "E07", "E08")
def test_a_page_of_the_portals_lists_events_and_shows_the_chosen_one_in_place(
    somebody: Callable[[], Visitor], company: Portal, portal_site: PortalSite
) -> None:
    """Token, company, events, embed code and iframe, all from another origin than the API's; then the stage."""
    # The portal has planned two events; the speaker is known by the address.
    sequel, visitor = Sequel(company), somebody()
    lecture = webinar(sequel, "Spring webinar", presenters=["ada@example.org"])
    sequel.event(name="Autumn webinar", startDate="2099-09-05T10:00:00Z", endDate="2099-09-05T11:00:00Z")
    settings = {
        "base": company.api.base_url + API,
        "credentials": {
            "client_id": company.client_id,
            "client_secret": company.client_secret,
            "audience": "https://www.introvoke.com/api",
            "grant_type": "client_credentials",
        },
        "who": {"userId": "7", "userName": "Ada Lovelace", "userEmail": "ada@example.org", "userAvatar": ""},
        "allow": ALLOW,
    }
    address = portal_site.show(
        "/events",
        f'<script type="application/json" id="settings">{json.dumps(settings)}</script><p id="refused"></p>'
        f'<script type="module">{SCRIPT}</script>',
    )

    # A visitor opens the page, chooses one, and is on the stage without a further question.
    page = visitor.page
    page.goto(address)
    expect(page.get_by_role("button")).to_have_text(["Spring webinar", "Autumn webinar"])
    expect(page.locator("#refused")).to_have_text("Event not found")
    page.get_by_role("button", name="Spring webinar").click()
    frame = page.frame_locator("#session")
    expect_stage(frame)
    token = str(page.locator("#session").get_attribute("src")).partition("#token=")[2]
    company.handed_out.note("embed token", token)
    assert portal_site.visit_of(f"/stage/{lecture['uid']}?role=presenter")
    assert visitor.context.cookies() == []

    # Afterwards the analytics know who it was.
    frame.get_by_role("button", name="Leave").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("You have left the session")
    ada = activities(sequel, lecture["uid"])["ada@example.org"]
    assert (ada["userId"], ada["userName"], ada["role"]) == ("7", "Ada Lovelace", "presenter")
    watched = sequel.get(f"/analytics/getVideoWatchOverTime/{lecture['uid']}").json()["VideoViews"]
    assert sum(people for _, people in watched) >= 1


@pytest.mark.req("E04", "E05", "E06", "E07", "E10")
def test_a_registrants_join_url_is_one_persons_place_in_one_event(
    somebody: Callable[[], Visitor], company: Portal, portal_site: PortalSite
) -> None:
    """Register once, keep the link, frame it; who joins a second time ends the first; the metadata comes back."""
    # The portal registers somebody, and stores the link.
    sequel, visitor = Sequel(company), somebody()
    event_id = webinar(sequel, "Masterclass")["uid"]
    metadata = {"company": "Navy", "title": "Rear admiral"}
    grace = {"name": "Grace Hopper", "email": "grace@example.org", "metadata": metadata}
    link = sequel.register(event_id, **grace)["join_url"]
    assert sequel.post(f"/v1/event/{event_id}/registrant", json=grace).status_code == 400

    # Its page shows the event in place, as attendee.
    visitor.stop_the_clock()
    page = visitor.page
    frame = framed(page, portal_site, "/masterclass", link)
    expect_stage(frame)
    assert portal_site.visit_of(f"/stage/{event_id}?role=attendee")

    # The same link somewhere else: only one of the two is in.
    friend = somebody()
    other = framed(friend.page, portal_site, "/masterclass-again", link)
    expect_stage(other)
    page.clock.fast_forward(INTERVAL + 500)
    expect(frame.get_by_role("heading", level=1)).to_have_text("You joined from another page")
    expect(frame.locator(".frame iframe")).to_have_count(0)

    # On the organizers' list the same link means another role, without another registration.
    assert sequel.put(f"/v1/event/{event_id}/organizer", json={"organizer": "Grace@example.org"}).status_code == 200
    other.get_by_role("button", name="Leave").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("You have left the session")
    friend.page.reload()
    expect_stage(other)
    assert portal_site.visit_of(f"/stage/{event_id}?role=organizer")

    # What the portal knows of its registrant comes back with the attendance.
    activity = activities(sequel, event_id)["grace@example.org"]
    assert (activity["userName"], activity["metadata"]) == ("Grace Hopper", metadata)

    # Taken off, the link leads nowhere.
    assert sequel.delete(f"/v1/event/{event_id}/registrant", json={"email": "grace@example.org"}).status_code == 204
    friend.page.goto(link)
    assert friend.heading() == "This link no longer works"
