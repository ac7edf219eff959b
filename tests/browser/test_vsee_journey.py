"""VSee Clinic's use cases as the vendor tells them: from the portal's first call to the provider's dashboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.vsee import Vsee

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal

pytestmark = pytest.mark.req("D02")

SOON = 30_000
"""Milliseconds in which an open page follows: a few seconds, and what a function takes that was never asked before."""


@pytest.fixture(scope="module")
def staged(open_portal: Callable[..., Portal], portal_site: PortalSite) -> Portal:
    """An account whose stage is a page of the portal's own site, which is gone to."""
    url = f"{portal_site.url}/stage/{{session_id}}?role={{role}}#grant={{grant}}"
    return open_portal(name="Lakeside Clinic", stage={"kind": "url", "url": url, "in_place": False})


@pytest.mark.req("L06", "L13", "L14")
@pytest.mark.parametrize("portal_base", ["/", "/vc/next/"])
def test_a_provider_with_a_room_arrives_at_the_dashboard(
    visitors: Callable[..., Visitor], staged: Portal, portal_site: PortalSite, portal_base: str
) -> None:
    """Token, room, assignment, redirect; the portal's button again later; a patient; signing out."""
    visitor = visitors()
    # The portal's server gets a token, makes a room, and assigns the provider to it.
    vsee = Vsee(staged)
    code = f"provider{len(portal_base)}"
    provider = vsee.sso(first_name="Rosalind", last_name="Franklin", code=code)
    token = provider["token"]["token"]
    admin = vsee.token(staged.access_token())
    room = vsee.post("/rooms", headers=admin, data={"name": "Dr. Franklin", "code": code}).json()["data"]
    assigned = vsee.post(f"/users/{provider['id']}/rooms", headers=admin, data={"room_id": room["id"]}).json()["data"]
    assert [one["code"] for one in assigned["rooms"]] == [code]

    # The portal's page has a button, which leads to the redirect.
    link = f"{staged.hub_url}{portal_base}auth?sso_token={token}&next=/providers/dashboard"
    button = portal_site.show("/start", f'<a href="{link}">Open your clinic</a>')
    for _ in range(2):  # the token is good for more than one click
        visitor.page.goto(button)
        visitor.page.get_by_role("link", name="Open your clinic").click()
        expect(visitor.page).to_have_url(f"{staged.hub_url}/dashboard")
        assert visitor.heading() == "Hello, Rosalind Franklin"
    cookie = visitor.cookie()
    assert staged.is_signed_in(cookie)

    # The room is there; a patient whom the portal sends with its code is seen in it, and received.
    page, patient = visitor.page, visitors().page
    rooms = page.get_by_role("region", name="My waiting rooms")
    expect(rooms.get_by_text("Dr. Franklin", exact=True).first).to_be_visible(timeout=SOON)
    ada = vsee.sso(first_name="Ada", last_name="Lovelace", code=f"patient{len(portal_base)}", type=200, room_code=code)
    patient.goto(f"{staged.hub_url}{portal_base}auth?sso_token={ada['token']['token']}")
    expect(patient.get_by_text("You are waiting as Ada Lovelace")).to_be_visible()
    page.get_by_role("button", name="Admit Ada Lovelace").click(timeout=SOON)
    expect(page).to_have_url(re.compile(r".*/stage/\d+\?role=host#grant=.*"))
    expect(patient).to_have_url(re.compile(r".*/stage/\d+\?role=attendee#grant=.*"), timeout=SOON)

    # The provider comes back, and leaves.
    page.goto(f"{staged.hub_url}{portal_base}providers/dashboard")
    visitor.page.get_by_role("button", name="Sign out").click()
    assert not staged.is_signed_in(cookie)


@pytest.mark.req("H04", "L08")
def test_a_token_that_is_spent_says_what_to_do(visitor: Visitor, clinic: Portal) -> None:
    """Somebody else's browser got in by it."""
    token = Vsee(clinic).sso(code="spent")["token"]["token"]
    link = f"{clinic.hub_url}/auth?sso_token={token}&invalidate=1"
    assert clinic.follow(link).status_code == 303

    visitor.page.goto(link)

    assert visitor.heading() == "This sign-in link no longer works"
    expect(visitor.page.get_by_role("main")).to_contain_text("You get a fresh link each time.")
    assert token not in visitor.page.url
    assert visitor.cookie() == ""
