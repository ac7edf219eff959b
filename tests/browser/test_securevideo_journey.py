"""SecureVideo's use cases: a portal that changed its base URL, from its first call to its own page again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.securevideo import SecureVideo

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal

STAGE = "/stage/{session_id}?role={role}#grant={grant}"
PASSWORD = "Tr0ubador&3"
GUEST = {"ParticipantFullName": "Test User", "ShouldAutoDeliverCode": "N"}


@pytest.fixture(scope="module")
def open_clinic(open_portal: Callable[..., Portal], portal_site: PortalSite) -> Callable[..., Portal]:
    """A function that makes an account whose stage is a page of the portal's own site."""
    stage = {"kind": "url", "url": portal_site.url + STAGE, "in_place": False}
    return lambda **settings: open_portal(redirect_uris=[portal_site.url], stage=stage, **settings)


@pytest.fixture(scope="module")
def staged(open_clinic: Callable[..., Portal]) -> Portal:
    return open_clinic()


def address_of(name: str) -> str:
    return f"{name.rpartition(' ')[2].lower()}@portal.example"


def registered(api: SecureVideo, name: str, **members: Any) -> str:
    """Create a user as a portal does with each of its own; give the id that it saves."""
    user = {
        "FullName": name,
        "EmailAddress": address_of(name),
        "TimeZoneWindowsId": "Pacific Standard Time",
        "HelpNumber": "111-334-8512",
    }
    answer = api.post("/User", json=user | members)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["SystemUserId"])


def meeting(api: SecureVideo, host: str, *participants: dict[str, Any]) -> dict[str, Any]:
    """Begin a session now ("Meet Now")."""
    answer = api.post(f"/Session/{host}", json={"UserId": host, "Participants": participants})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def stage_of(session: dict[str, Any], role: str) -> re.Pattern[str]:
    return re.compile(rf".*/stage/{session['SessionId']}\?role={role}#grant=.+")


# --- auto-start: three kinds of people, three links ---------------------------------------------------------


@pytest.mark.req("D01", "L15", "S03")
@pytest.mark.parametrize("account", ["passkeys off", "passkeys on"])
def test_somebody_with_a_code_is_in_the_session_without_a_click(
    visitor: Visitor, open_clinic: Callable[..., Portal], account: str
) -> None:
    """A patient who is no user: /Pass/Join with launch=1, and the passkey where the account wants one."""
    require_passkey = account == "passkeys on"
    clinic = open_clinic(require_passkey=require_passkey)
    api = SecureVideo(clinic.api)
    session = meeting(api, registered(api, "Dr. Rosalind Franklin"), GUEST)
    _, guest = session["Participants"]
    clinic.handed_out.note("passkey", guest["Passkey"])
    address = f"{clinic.hub_url}/Pass/Join/{guest['ConnectCode']}"

    visitor.page.goto(f"{address}?passkey={guest['Passkey']}&launch=1" if require_passkey else f"{address}?launch=1")

    expect(visitor.page).to_have_url(stage_of(session, "attendee"))


@pytest.mark.req("D01", "L15", "L17")
@pytest.mark.parametrize(("name", "role"), [("Dr. Grace Hopper", "host"), ("Mary Jackson", "attendee")])
def test_a_user_signs_in_with_a_password_and_is_in_the_session(
    visitor: Visitor, staged: Portal, name: str, role: str
) -> None:
    """The dashboard's address with scrollTo and launch, by way of the sign-in page; back at the dashboard; logout."""
    api, page = SecureVideo(staged.api), visitor.page
    user = registered(api, name)
    assert api.put(f"/password/{user}", json={"NewPassword": PASSWORD}).status_code == 204
    staged.handed_out.note("password", PASSWORD)
    other = registered(api, f"Somebody Else-{role}")
    session = meeting(api, *((user,) if role == "host" else (other, {"SecureVideoUserId": user})))

    page.goto(f"{staged.hub_url}/Dashboard/P/{user}?scrollTo={session['SessionId']}&launch=1")
    assert visitor.heading() == "Sign in"
    page.get_by_label("User name or e-mail address").fill(address_of(name).upper())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(stage_of(session, role))

    # The connection is lost: back at the dashboard the session is in view, and starts by a click alone.
    page.goto(f"{staged.hub_url}/Dashboard/P/{user}?scrollTo={session['SessionId']}")
    row = page.get_by_role("listitem").filter(has_text="You came for this session")
    expect(row).to_be_in_viewport()
    row.get_by_role("link", name="Join").click()
    expect(page).to_have_url(stage_of(session, role))

    # Whom no login URI brought in is logged out to the sign-in page, when the portal names no other.
    cookie = visitor.cookie()
    page.goto(f"{staged.hub_url}/Account/LogOffAndRedirect")
    expect(page).to_have_url(f"{staged.hub_url}/sign-in?signed_out=1")
    assert not staged.is_signed_in(cookie)


@pytest.mark.req("D01", "L15")
def test_a_user_of_the_portal_is_in_the_session_by_a_login_uri(
    visitor: Visitor, staged: Portal, portal_site: PortalSite
) -> None:
    """LoginUri with scrollTo and launch; then the portal's own script logs the browser out."""
    api, page = SecureVideo(staged.api), visitor.page
    user = registered(api, "Dr. Ada Yonath", ExternalId="EHR-7", SystemRoles="H,P")
    session = meeting(api, user, GUEST)
    over = portal_site.show("/over", "<h1>Your session here is over</h1>")
    login = api.post("/Login/0?externalId=EHR-7", json={"RedirectToUriOnExpiry": over}).json()

    uri = f"{login['LoginUri']}?scrollTo={session['SessionId']}&launch=1"
    portal_site.show("/start", f"<script>window.location.href = {uri!r};</script>")
    page.goto(f"{portal_site.url}/start")
    expect(page).to_have_url(stage_of(session, "host"))
    cookie = visitor.cookie()
    assert staged.is_signed_in(cookie)

    # Without redirectToUrl the address of the login URI is where a logout leads.
    portal_site.show("/out", f"<script>window.location.href = '{staged.hub_url}/Account/LogOffAndRedirect';</script>")
    page.goto(f"{portal_site.url}/out")
    expect(page).to_have_url(over)
    assert not staged.is_signed_in(cookie)


# --- login and manual logout --------------------------------------------------------------------------------


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
