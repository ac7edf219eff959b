"""SecureVideo's whole use case: a portal that changed its base URL, from its first call to its own page again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.securevideo import SecureVideo

if TYPE_CHECKING:
    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal


@pytest.mark.req("D01", "L15")
@pytest.mark.parametrize("button", ["LogOffAndRedirect", "Sign out"])
def test_a_portals_user_is_logged_in_starts_a_session_and_is_logged_out(
    visitor: Visitor, clinic: Portal, portal_site: PortalSite, button: str
) -> None:
    """The portal calls, appends scrollTo and launch, redirects by script; it logs out by script, or the person does."""
    # The portal, server to server: it knows its user by the id that it saved, and gets a login URI.
    expiry = portal_site.show("/HandleSecureVideoLoginExpiration", "<h1>Your session here is over</h1>")
    user = clinic.create_user(full_name="Dr. Rosalind Franklin", external_id=f"EHR {button}")["id"]
    login = (
        SecureVideo(clinic.api)
        .post(f"/Login/0?externalId={quote(f'EHR {button}')}", json={"RedirectToUriOnExpiry": expiry})
        .json()
    )
    assert login["RedirectToUriOnExpiry"] == expiry

    # The portal's page directs the browser to it.
    uri = f"{login['LoginUri']}?scrollTo=22222222&launch=1"
    portal_site.show("/start", f"<h1>Portal</h1><script>window.location.href = {uri!r};</script>")
    visitor.page.goto(f"{portal_site.url}/start")
    expect(visitor.page).to_have_url(f"{clinic.hub_url}/dashboard?scrollTo=22222222&launch=1")
    assert visitor.heading() == "Hello, Dr. Rosalind Franklin"
    cookie = visitor.cookie()

    # Later the portal links to the dashboard that it builds itself: already signed in.
    visitor.page.goto(f"{clinic.hub_url}/Dashboard/P/{user}?scrollTo=22222222&launch=1")
    assert visitor.heading() == "Hello, Dr. Rosalind Franklin"

    # The person is logged out of the portal, which logs them out here.
    if button == "Sign out":
        visitor.page.get_by_role("button", name=button).click()
        last = expiry
    else:
        last = portal_site.show("/SomeEndpoint", "<h1>Goodbye</h1>")
        logout = f"{clinic.hub_url}/Account/{button}?redirectToUrl={last}"
        portal_site.show("/out", f"<script>window.location.href = {logout!r};</script>")
        visitor.page.goto(f"{portal_site.url}/out")
    expect(visitor.page).to_have_url(last)
    assert visitor.cookie() == ""
    assert not clinic.is_signed_in(cookie)

    # What is left leads nowhere: the link, the address that the portal built, the deleted login.
    visitor.page.goto(uri)
    assert visitor.heading() == "This sign-in link no longer works"
    visitor.page.goto(f"{clinic.hub_url}/Dashboard/P/{user}")
    assert visitor.heading() == "Sign in"
    assert SecureVideo(clinic.api).delete(f"/login/{login['LoginGuid']}").status_code == 204


@pytest.mark.req("D01", "L03")
def test_a_deleted_login_uri_lets_nobody_in(visitor: Visitor, clinic: Portal) -> None:
    """The portal changed its mind before the browser got there."""
    user = clinic.create_user()["id"]
    api = SecureVideo(clinic.api)
    login = api.post(f"/login/{user}").json()

    api.delete(f"/login/{login['LoginGuid']}")
    visitor.page.goto(login["LoginUri"])

    assert visitor.heading() == "This sign-in link no longer works"
    assert visitor.cookie() == ""


@pytest.mark.req("D01")
def test_a_browser_that_is_redirected_twice_too_late_is_told_what_to_do(visitor: Visitor, plain_clinic: Portal) -> None:
    """A vendor's older spelling of a login that never was, on a host of an account without any branding."""
    visitor.page.goto(f"{plain_clinic.hub_url}/Account/Login?auto={'e1579430ba1471ba8d4c0b2b6e8ba8d6'}&scrollTo=7")

    assert visitor.heading() == "This sign-in link no longer works"
    expect(visitor.page.get_by_role("main")).to_contain_text("You get a fresh link each time.")
    assert quote("scrollTo=7", safe="=") in str(
        visitor.page.get_by_role("link", name="I am signed in already").get_attribute("href")
    )
    assert urlsplit(visitor.page.url).path == "/login"
