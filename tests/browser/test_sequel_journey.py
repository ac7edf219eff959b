"""Sequel's quick start as the vendor tells it: a page of the portal's own that fetches the events and an embed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.sequel import API, Sequel
from vestibule.domain.phases import OPENS_BEFORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import FrameLocator

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal

pytestmark = pytest.mark.req("D04")

EARLY_SECONDS = 8
SCRIPT = """
const { base, credentials, who } = JSON.parse(document.getElementById("settings").textContent);
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
    document.getElementById("embed").src = url;
  };
}
"""


@pytest.mark.req("P09", "E03")
def test_a_page_of_the_portals_lists_events_and_gets_an_embed(
    visitor: Visitor, open_portal: Callable[..., Portal], portal_site: PortalSite
) -> None:
    """Token, events and embed code from a browser on another origin, and then into the event, in that page's frame."""
    visitor.without_gravatar()
    # The portal has planned two events, one of which opens in a moment; its pages may call, and frame.
    portal = open_portal(
        name="Lakeside Events",
        allowed_origins=[portal_site.url],
        frame_ancestors=[portal_site.url],
        stage={"kind": "url", "url": f"{portal_site.url}/stage/{{session_id}}?role={{role}}#grant={{grant}}"},
    )
    sequel = Sequel(portal)
    begins = datetime.now(UTC) + timedelta(seconds=EARLY_SECONDS, milliseconds=OPENS_BEFORE)
    webinar = sequel.event(
        name="Spring webinar",
        startDate=begins.isoformat(),
        endDate=(begins + timedelta(hours=1)).isoformat(),
        presenters=["ada@example.org"],
    )
    metadata = {"company": "Navy", "seats": [1, None]}
    grace = sequel.register(webinar["uid"], name="Grace Hopper", email="grace@example.org", metadata=metadata)
    sequel.event(name="Autumn webinar", startDate="2099-09-05T10:00:00Z", endDate="2099-09-05T11:00:00Z")
    settings = {
        "base": portal.api.base_url + API,
        "credentials": {
            "client_id": portal.client_id,
            "client_secret": portal.client_secret,
            "audience": "https://www.introvoke.com/api",
            "grant_type": "client_credentials",
        },
        "who": {
            "userId": "7",
            "userName": "Ada Lovelace",
            "userEmail": "ada@example.org",
            "userAvatar": "",
        },
    }
    address = portal_site.show(
        "/events",
        f'<script type="application/json" id="settings">{json.dumps(settings)}</script>'
        '<p id="refused"></p><iframe id="embed" allow="camera; microphone" width="800" height="600"></iframe>'
        f'<script type="module">{SCRIPT}</script>',
    )

    # A visitor opens the page and chooses one.
    visitor.page.goto(address)
    expect(visitor.page.get_by_role("button")).to_have_text(["Spring webinar", "Autumn webinar"])
    expect(visitor.page.locator("#refused")).to_have_text("Event not found")
    visitor.page.get_by_role("button", name="Spring webinar").click()
    start = f"{portal.hub_url}/embed/{webinar['uid']}#token="
    embed = visitor.page.locator("#embed")
    expect(embed).to_have_attribute("src", re.compile(re.escape(start)))
    portal.handed_out.note("embed token", str(embed.get_attribute("src")).removeprefix(start))

    # The frame knows who looks at it, and lets them in when the doors open.
    frame = visitor.page.frame_locator("#embed")
    expect(frame.get_by_text("You come in as Ada Lovelace, a presenter.")).to_be_visible()
    expect_stage(frame)
    assert portal_site.visit_of(f"/stage/{webinar['uid']}?role=presenter")

    # A registrant comes by the link that registering gave, in a frame as well.
    visitor.page.goto(portal_site.show("/joined", f'<iframe id="embed" src="{grace["join_url"]}"></iframe>'))
    expect_stage(visitor.page.frame_locator("#embed"))

    # Afterwards the portal reads who was there.
    found = sequel.post(f"/analytics/events/{webinar['uid']}/user-activity").json()
    there = {one["userName"]: (one["userId"], one["userEmail"], one["role"], one["metadata"]) for one in found["items"]}
    assert found["totalCount"] == 2
    assert there["Ada Lovelace"] == ("7", "ada@example.org", "presenter", {})
    assert there["Grace Hopper"][1:] == ("grace@example.org", "attendee", metadata)


def expect_stage(frame: FrameLocator) -> None:
    expect(frame.frame_locator(".frame iframe").get_by_role("heading", name="Portal")).to_be_visible()
