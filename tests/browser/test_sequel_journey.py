"""Sequel's quick start as the vendor tells it: a page of the portal's own that fetches the events and an embed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.sequel import API, Sequel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal

pytestmark = pytest.mark.req("D04")

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
    document.getElementById("embed").textContent = url;
  };
}
"""


@pytest.mark.req("P09", "E03")
def test_a_page_of_the_portals_lists_events_and_gets_an_embed(
    visitor: Visitor, open_portal: Callable[..., Portal], portal_site: PortalSite
) -> None:
    """Token, company, events and embed code, all from a browser on another origin than the API's."""
    # The portal has planned two events; its pages may call.
    portal = open_portal(name="Lakeside Events", allowed_origins=[portal_site.url])
    sequel = Sequel(portal)
    webinar = sequel.event(name="Spring webinar", presenters=["ada@example.org"])
    sequel.event(name="Autumn webinar", startDate="2099-09-05T10:00:00Z", endDate="2099-09-05T11:00:00Z")
    settings = {
        "base": portal.api.base_url + API,
        "credentials": {
            "client_id": portal.client_id,
            "client_secret": portal.client_secret,
            "audience": "https://www.introvoke.com/api",
            "grant_type": "client_credentials",
        },
        "who": {"userId": "7", "userName": "Ada Lovelace", "userEmail": "ada@example.org", "userAvatar": ""},
    }
    address = portal_site.show(
        "/events",
        f'<script type="application/json" id="settings">{json.dumps(settings)}</script>'
        '<p id="refused"></p><p id="embed"></p>'
        f'<script type="module">{SCRIPT}</script>',
    )

    # A visitor opens the page and chooses one.
    visitor.page.goto(address)
    expect(visitor.page.get_by_role("button")).to_have_text(["Spring webinar", "Autumn webinar"])
    expect(visitor.page.locator("#refused")).to_have_text("Event not found")
    visitor.page.get_by_role("button", name="Spring webinar").click()
    start = f"{portal.hub_url}/embed/{webinar['uid']}#token="
    expect(visitor.page.locator("#embed")).to_contain_text(start)

    # What the page has got is good for that person and that event.
    token = visitor.page.locator("#embed").inner_text().removeprefix(start)
    portal.handed_out.note("embed token", token)
    session = portal.house.sessions.get(portal.account_id, webinar["uid"])
    person = portal.house.embed_reader.read(portal.account, session, token)
    assert (person.user_id, person.name, person.email) == ("7", "Ada Lovelace", "ada@example.org")
