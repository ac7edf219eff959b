"""Waiting rooms in real browsers: who waits sees that it is known, and whoever receives them sees their own people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.looks import assert_looks_right
from vestibule.clock import MINUTE, system_clock
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import HostRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.support.portal import Portal
    from vestibule.model import Room

SOON = 30_000
"""Milliseconds in which an open page follows: a few seconds, and what a busy machine takes."""
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-von-und-zu-Donaudampfschifffahrt"


class Practice:
    """A provider with a room."""

    def __init__(self, portal: Portal, name: str) -> None:
        self.portal = portal
        self.user = portal.create_user(full_name=f"Dr. {name}", role="provider")["id"]
        created = portal.api.post("/v1/rooms", json={"name": f"Room of {name}"}).json()
        portal.api.request("PUT", f"/v1/rooms/{created['id']}/users/{self.user}")
        self.room: Room = portal.house.rooms.get(portal.account_id, created["id"])
        self.door = f"{portal.hub_url}/u/{created['slug']}"

    def arrive(self, visitor: Visitor) -> Page:
        """Sign the provider in; give the page with the dashboard."""
        visitor.arrive(self.portal, self.user)
        return visitor.page


def walk_in(visitor: Visitor, door: str, name: str) -> Page:
    """Come to a door, and wait there."""
    page = visitor.page
    page.goto(door)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Wait here").click()
    expect(page.get_by_text("You are waiting as")).to_be_visible()
    return page


def test_two_providers_with_two_rooms_see_only_their_own_patients(
    visitors: Callable[..., Visitor], staged_clinic: Portal
) -> None:
    """And each page follows what is decided, within a few seconds and without a click."""
    # given
    hopper, turing = Practice(staged_clinic, "Hopper"), Practice(staged_clinic, "Turing")
    hers, his = hopper.arrive(visitors()), turing.arrive(visitors())
    expect(hers.get_by_text("nobody waits")).to_be_visible()
    # when: three people come
    ada = walk_in(visitors(), hopper.door, "Ada Lovelace")
    ben = walk_in(visitors(), hopper.door, "Ben Okafor")
    cleo = walk_in(visitors(), turing.door, "Cleo Ferreira")
    # then: each provider's open dashboard shows their own, and says so aloud
    expect(hers.get_by_role("button", name="Admit Ben Okafor")).to_be_visible(timeout=SOON)
    expect(hers.get_by_role("button", name="Admit Ada Lovelace")).to_be_visible()
    expect(hers.get_by_role("status").filter(has_text="is waiting.")).to_be_visible()
    expect(his.get_by_role("button", name="Admit Cleo Ferreira")).to_be_visible(timeout=SOON)
    assert hers.title().startswith("(2) ")
    assert "Cleo" not in hers.content()
    assert "Ada" not in his.content()
    # when: one is turned away, one let in
    hers.get_by_role("button", name="Turn away Ben Okafor").click()
    expect(hers.get_by_role("button", name="Admit Ben Okafor")).to_have_count(0, timeout=SOON)
    hers.get_by_role("button", name="Admit Ada Lovelace").click()
    # then
    expect(hers).to_have_url(re.compile(r".*/stage/\d+\?role=host#grant=.*"), timeout=SOON)
    expect(ada).to_have_url(re.compile(r".*/stage/\d+\?role=attendee#grant=.*"), timeout=SOON)
    assert ada.url.partition("?")[0] == hers.url.partition("?")[0]
    expect(ben.get_by_role("heading", name="You cannot be received just now")).to_be_visible(timeout=SOON)
    expect(cleo.get_by_text("You are waiting as")).to_be_visible()


def test_the_page_of_a_planned_session_is_let_in_early(visitors: Callable[..., Visitor], staged_clinic: Portal) -> None:
    # given
    practice = Practice(staged_clinic, "Curie")
    given = {"title": "Check-up", "starts_at": system_clock() + 30 * MINUTE, "room_id": practice.room.room_id}
    _, (_, guest) = staged_clinic.house.sessions.create(
        staged_clinic.account_id, HostRef(user_id=practice.user), given, [Invitee(full_name="Ada Lovelace")]
    )
    patient = visitors().page
    patient.goto(staged_clinic.house.links.personal_link(staged_clinic.account.slug, guest))
    expect(patient.get_by_text("You are early, and in the right place.")).to_be_visible()
    page = practice.arrive(visitors())
    expect(page.get_by_text("for a planned session")).to_be_visible(timeout=SOON)
    # when
    page.get_by_role("button", name="Admit Ada Lovelace").click()
    # then
    expect(page).to_have_url(re.compile(r".*/stage/\d+\?role=host#grant=.*"), timeout=SOON)
    expect(patient).to_have_url(re.compile(r".*/stage/\d+\?role=attendee#grant=.*"), timeout=SOON)


@pytest.mark.req("L15")
def test_whoever_is_sent_with_a_room_waits_without_a_click(
    visitors: Callable[..., Visitor], staged_clinic: Portal
) -> None:
    # given
    practice = Practice(staged_clinic, "Noether")
    patient = visitors()
    path = practice.door.removeprefix(staged_clinic.hub_url)
    # when: a login URI whose next page is the room's door
    user = staged_clinic.create_user(full_name="Ada Lovelace")["id"]
    patient.page.goto(staged_clinic.issue_login_uri(user, next=f"{path}?launch=1"))
    # then
    expect(patient.page.get_by_text("You are waiting as Ada Lovelace")).to_be_visible()
    expect(patient.page).to_have_url(practice.door)
    # and whoever stops is asked again, and not started again
    patient.page.get_by_role("button", name="Stop waiting").click()
    expect(patient.page.get_by_role("button", name="Wait here")).to_be_visible()


@pytest.mark.req("H02")
def test_without_scripts_the_same_goes_by_forms(visitors: Callable[..., Visitor], staged_clinic: Portal) -> None:
    # given
    practice = Practice(staged_clinic, "Meitner")
    patient, provider = visitors(java_script_enabled=False), visitors(java_script_enabled=False)
    page = walk_in(patient, practice.door, "Ada Lovelace")
    other = walk_in(visitors(java_script_enabled=False), practice.door, "Ben Okafor")
    listed = practice.arrive(provider)
    # when
    listed.get_by_role("link", name="See who is waiting").click()
    listed.get_by_role("button", name="Turn away Ben Okafor").click()
    # then
    expect(listed).to_have_url(f"{staged_clinic.hub_url}/dashboard/rooms")
    expect(listed.get_by_text("one person waits")).to_be_visible()
    # when
    listed.get_by_role("button", name="Admit Ada Lovelace").click()
    # then
    expect(listed.get_by_role("button", name="Join the session")).to_be_visible()
    expect(page.get_by_role("button", name="Join the session")).to_be_visible(timeout=SOON + 8_000)
    expect(other.get_by_role("heading", name="You cannot be received just now")).to_be_visible(timeout=SOON)


@pytest.mark.req("H02")
def test_the_keyboard_stays_where_it_is_when_the_list_renews_itself(
    visitors: Callable[..., Visitor], staged_clinic: Portal
) -> None:
    # given
    practice = Practice(staged_clinic, "Franklin")
    walk_in(visitors(), practice.door, "Ada Lovelace")
    page = practice.arrive(visitors())
    button = page.get_by_role("button", name="Turn away Ada Lovelace")
    button.focus()
    # when
    walk_in(visitors(), practice.door, "Ben Okafor")
    expect(page.get_by_role("button", name="Admit Ben Okafor")).to_be_visible(timeout=SOON)
    # then
    expect(button).to_be_focused()
    # and when its row goes, at the room's name: Ben is next by one key
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Room of Franklin")).to_be_focused(timeout=SOON)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Admit Ben Okafor")).to_be_focused()


def test_an_older_browser_admits_whom_it_is_told_to(visitors: Callable[..., Visitor], staged_clinic: Portal) -> None:
    # given: Chrome 102, as it were
    practice = Practice(staged_clinic, "Lamarr")
    patient, provider = visitors(), visitors()
    provider.grow_old()
    waiting = walk_in(patient, practice.door, "Ada Lovelace")
    page = practice.arrive(provider)
    # when
    page.get_by_role("button", name="Admit Ada Lovelace").click()
    # then
    expect(page).to_have_url(re.compile(r".*/stage/\d+\?role=host#grant=.*"), timeout=SOON)
    expect(waiting).to_have_url(re.compile(r".*/stage/\d+\?role=attendee#grant=.*"), timeout=SOON)


# --- how the pages look ---


def door(practice: Practice, visitors: Callable[..., Visitor]) -> Page:
    page = visitors().page
    page.goto(practice.door)
    return page


def refused_name(practice: Practice, visitors: Callable[..., Visitor]) -> Page:
    page = door(practice, visitors)
    page.get_by_label("Your name").fill("   ")
    page.get_by_role("button", name="Wait here").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


def waiting(practice: Practice, visitors: Callable[..., Visitor]) -> Page:
    return walk_in(visitors(), practice.door, LONG_NAME)


def turned_away(practice: Practice, visitors: Callable[..., Visitor]) -> Page:
    page = walk_in(visitors(), practice.door, "Ada Lovelace")
    user = practice.portal.house.users.get(practice.portal.account_id, practice.user)
    (reception,) = practice.portal.house.admission.of(user)
    practice.portal.house.admission.turn_away(user, practice.room.room_id, reception.waiters[0].key)
    expect(page.get_by_role("heading", name="You cannot be received just now")).to_be_visible(timeout=SOON)
    return page


def rooms(practice: Practice, visitors: Callable[..., Visitor]) -> Page:
    walk_in(visitors(), practice.door, LONG_NAME)
    walk_in(visitors(), practice.door, "Ada Lovelace")
    page = practice.arrive(visitors())
    page.goto(f"{practice.portal.hub_url}/dashboard/rooms")
    return page


def on_the_dashboard(practice: Practice, visitors: Callable[..., Visitor]) -> Page:
    walk_in(visitors(), practice.door, LONG_NAME)
    page = practice.arrive(visitors())
    expect(page.get_by_role("button", name=f"Admit {LONG_NAME}")).to_be_visible(timeout=SOON)
    return page


def own_door(practice: Practice, visitors: Callable[..., Visitor]) -> Page:
    page = practice.arrive(visitors())
    page.goto(practice.door)
    return page


def unknown(practice: Practice, visitors: Callable[..., Visitor]) -> Page:
    page = visitors().page
    page.goto(f"{practice.portal.hub_url}/u/nobody")
    return page


@pytest.mark.req("H01", "H02", "H03", "H04")
@pytest.mark.parametrize(
    "open_page", [door, refused_name, waiting, turned_away, rooms, on_the_dashboard, own_door, unknown]
)
def test_a_page(
    visitors: Callable[..., Visitor],
    staged_clinic: Portal,
    open_page: Callable[[Practice, Callable[..., Visitor]], Page],
    request: pytest.FixtureRequest,
) -> None:
    """In light and dark axe finds nothing; no width makes it scroll sideways; it says what to do next."""
    page = open_page(Practice(staged_clinic, "Lise Meitner-Hahn"), visitors)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(
        page.get_by_role("main").get_by_role("button").or_(page.get_by_role("main").get_by_role("link")).first
    ).to_be_visible()
    assert_looks_right(page)
