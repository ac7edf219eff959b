"""OnSync's use case as the vendor tells it: two ways of getting people into a session, from first call to stage."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.stack.test_outbox import until
from tests.support.onsync import OnSync

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal
    from tools.local import Stack

pytestmark = pytest.mark.req("D03")

SESSION_PASSWORD = "open sesame"
USER_PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def clinic(open_portal: Callable[..., Portal], portal_site: PortalSite) -> Portal:
    """An account whose stage is a page of the portal's own site, which is gone to."""
    url = f"{portal_site.url}/stage/{{session_id}}?role={{role}}#grant={{grant}}"
    stage = {"kind": "url", "url": url, "in_place": False}
    return open_portal(name="Lakeside Clinic", redirect_uris=[portal_site.url], stage=stage)


def added(api: OnSync, **parameters: Any) -> int:
    """Add a session that begins now; give its id."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    answer = api.call(
        "PUT", "/session", topic="Annual review", duration="60", start_time=now, timezone="UTC", **parameters
    )
    assert answer.json()["message"] == "Session added"
    return int(answer.json()["id"])


def stage_of(session_id: int, role: str) -> re.Pattern[str]:
    return re.compile(rf".*/stage/{session_id}\?role={role}#grant=.+")


def join(page: Page) -> None:
    page.get_by_role("button", name="Join the session").click()


@pytest.mark.req("S01", "S07")
@pytest.mark.parametrize("kind", ["session_link", "friendly_url"])
def test_a_generic_link_asks_for_a_name_and_the_sessions_password(visitor: Visitor, clinic: Portal, kind: str) -> None:
    """PUT session, GET session, and the link for everybody."""
    api, page, name = OnSync.of(clinic), visitor.page, f"review-by-{kind}"
    session_id = added(api, password=SESSION_PASSWORD, friendly_url=name)
    session = api.call("GET", f"/session/id/{session_id}").json()
    addresses = {
        "session_link": session["session_link"],
        "friendly_url": f"{clinic.hub_url}/go/{clinic.account.slug}/{session['friendly_url']}",
    }

    page.goto(addresses[kind])
    assert visitor.heading() == "Join the session"
    page.get_by_label("Your name").fill("Zoë Grün")
    page.get_by_label(re.compile("The session.s password")).fill(SESSION_PASSWORD)
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_text("You come in as Zoë Grün.")).to_be_visible()
    assert visitor.heading() == "Annual review"
    join(page)
    expect(page).to_have_url(stage_of(session_id, "attendee"))


@pytest.mark.req("S01", "L17")
def test_a_generic_link_lets_registered_users_sign_in(visitor: Visitor, clinic: Portal) -> None:
    """And brings them back to the session; without a password nothing more is asked."""
    api, page = OnSync.of(clinic), visitor.page
    clinic.create_user(full_name="Nora Berg", username="nora.berg", password=USER_PASSWORD)
    session_id = added(api)
    page.goto(api.call("GET", f"/session/id/{session_id}").json()["session_link"])

    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("User name or e-mail address").fill("nora.berg")
    page.get_by_label("Password").fill(USER_PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_text("You come in as Nora Berg.")).to_be_visible()
    join(page)
    expect(page).to_have_url(stage_of(session_id, "attendee"))


@pytest.mark.req("S02", "S05")
def test_a_personal_link_leads_to_the_session_without_a_question(
    visitor: Visitor, clinic: Portal, stack: Stack
) -> None:
    """PUT session with people; OnSync's mail brings one link, GET invitees brings them all."""
    api, page = OnSync.of(clinic), visitor.page
    people = {
        "moderator": {"email": "anna@portal.example", "first_name": "Anna", "last_name": "Moderator", "role": 1},
        "participant": {"email": "ben@portal.example", "first_name": "Ben", "last_name": "Ng", "role": 2},
        "observer": {"email": "olga@portal.example", "first_name": " ", "last_name": " ", "role": 3},
    }
    ben = {**people["participant"], "send_email_invitation": True}
    given = [{**people["moderator"], "send_email_invitation": False}, ben, {**people["observer"]}]
    session_id = added(api, invited_participants=given)

    # Approach ii: the links come back, and the portal sends or stores them.
    groups = api.call("GET", f"/invitees/id/{session_id}").json()
    links = {f"{group[:-1]}": one["personal_session_link"] for group, (one,) in groups.items()}
    clinic.handed_out.note("personal link", *(link.rpartition("/")[2] for link in links.values()))
    named = {"moderator": ("Anna Moderator", "organizer"), "observer": ("olga", "observer")}
    for who, (name, role) in named.items():
        page.goto(links[who])
        assert visitor.heading() == "Annual review"
        expect(page.get_by_text(f"You come in as {name}")).to_be_visible()
        join(page)
        expect(page).to_have_url(stage_of(session_id, role))

    # Approach i: OnSync has sent it, to whom it was told to, and it is the same link.
    mailed = until(lambda: boxes(stack).get("ben@portal.example"))
    assert len(mailed) == 1
    assert links["participant"] in mailed[0]
    assert not {"anna@portal.example", "olga@portal.example"} & boxes(stack).keys()
    page.goto(links["participant"])
    join(page)
    expect(page).to_have_url(stage_of(session_id, "attendee"))

    # The list is edited: who stays keeps the link and hears nothing, who goes is told at the door.
    changed = api.call("POST", "/session", id=session_id, topic="Second review", invited_participants=[ben])
    assert changed.json()["message"] == "Session updated"
    page.goto(links["participant"])
    assert visitor.heading() == "Second review"
    page.goto(links["moderator"])
    assert visitor.heading() == "This link no longer works"

    # And at last the session is deleted.
    assert api.call("DELETE", "/session", id=session_id).json() == {"message": "Session was deleted"}
    page.goto(links["participant"])
    assert visitor.heading() == "This session was cancelled"


def boxes(stack: Stack) -> dict[str, list[str]]:
    """Give the texts of the mails that SES took, by address."""
    answer = httpx.get(f"{stack.emulator_url}/_ministack/ses/messages").json()
    found: dict[str, list[str]] = {}
    for mail in (mail for box in answer["messages"].values() for mail in box):
        for address in mail["To"]:
            found.setdefault(address, []).append(mail["BodyText"])
    return found
