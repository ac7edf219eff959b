"""The calendar file of an invitation, read by somebody else's program: ical.js, in a page of Chromium.

The invariant: a reader that knows no zone but those in the file finds the session's very moments in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.letters import LINK, SESSION, a_letter, body
from tools import npm
from vestibule.clock import DAY, MINUTE
from vestibule.domain.letters import LetterKind
from vestibule.mail.letters import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Route

    from vestibule.domain.letters import Letter

READER_SITE = "http://calendar.localhost"
LIBRARY = npm.PACKAGES["ical.js"].folder / "dist" / "ical.js"

READ = """async (text) => {
  const { default: ICAL } = await import("/ical.js");
  const whole = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  for (const zone of whole.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(new ICAL.Timezone(zone));
  const [component, ...others] = whole.getAllSubcomponents("vevent");
  const event = new ICAL.Event(component);
  const alarm = component.getFirstSubcomponent("valarm");
  return {
    method: whole.getFirstPropertyValue("method"),
    others: others.length,
    uid: event.uid,
    sequence: event.sequence,
    status: component.getFirstPropertyValue("status"),
    zone: event.startDate.zone.tzid,
    start: event.startDate.toUnixTime() * 1000,
    end: event.endDate.toUnixTime() * 1000,
    summary: event.summary,
    description: event.description,
    location: event.location,
    url: component.getFirstPropertyValue("url"),
    organizer: component.getFirstPropertyValue("organizer"),
    attendees: event.attendees.map(one => [one.getFirstValue(), one.getParameter("cn")]),
    alarm: alarm && alarm.getFirstPropertyValue("trigger").toSeconds(),
  };
}"""


@pytest.fixture
def reads(browser: Browser) -> Generator[Callable[[Letter], Any]]:
    """A function that reads a letter's calendar part with ical.js."""
    if not LIBRARY.exists():
        pytest.fail(npm.HOW_TO_GET_THEM)
    context = browser.new_context()
    page = context.new_page()

    def answer(route: Route) -> None:
        if route.request.url == f"{READER_SITE}/ical.js":
            route.fulfill(content_type="text/javascript", body=LIBRARY.read_text())
        else:
            route.fulfill(content_type="text/html", body="<!doctype html><title>Calendar</title>")

    context.route(lambda _: True, answer)
    page.goto(f"{READER_SITE}/")
    yield lambda letter: page.evaluate(READ, body(compose(letter), "calendar"))
    context.close()


@pytest.mark.req("S05")
def test_another_program_finds_everything_in_an_invitation(reads: Callable[[Letter], Any]) -> None:
    # given
    title = "Knie; Schulter, „beide“ \\N " + "ü" * 100

    # when
    seen = reads(a_letter(session={"title": title}, participant={"full_name": 'Zoë "Z"; Müller: ' * 8}))

    # then
    assert seen["method"] == "REQUEST"
    assert seen["others"] == 0
    assert seen["uid"] == "481516234@lakeside.hub.vestibule.example"
    assert (seen["sequence"], seen["status"]) == (0, "CONFIRMED")
    assert seen["summary"] == title
    assert seen["location"] == seen["url"] == LINK
    assert LINK in seen["description"]
    assert seen["organizer"] == "mailto:sessions@vestibule.example"
    ((address, name),) = seen["attendees"]
    assert address == "mailto:grace@lakeside.example"
    assert name.startswith("Zoë ")
    assert seen["alarm"] == -600


@pytest.mark.req("S05", "S07")
@pytest.mark.parametrize(
    "place",
    [
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Europe/Dublin",
    ],
)
def test_another_program_finds_the_same_moments_all_year_round(place: str, reads: Callable[[Letter], Any]) -> None:
    for days in range(0, 365, 40):
        # given
        start = SESSION.starts_at + days * DAY

        # when
        seen = reads(a_letter(session={"time_zone": place, "starts_at": start}))

        # then
        assert (seen["zone"], seen["start"], seen["end"]) == (place, start, start + 90 * MINUTE)


@pytest.mark.req("S05")
def test_another_program_takes_a_change_for_a_change_and_a_cancellation_for_the_end(
    reads: Callable[[Letter], Any],
) -> None:
    # given
    moved = replace(SESSION, starts_at=SESSION.starts_at + DAY)

    # when
    first = reads(a_letter())
    change = reads(replace(a_letter(LetterKind.CHANGE, sequence=1, previous=SESSION), session=moved))
    cancellation = reads(a_letter(LetterKind.CANCELLATION, sequence=2))

    # then
    assert first["uid"] == change["uid"] == cancellation["uid"]
    assert (first["sequence"], change["sequence"], cancellation["sequence"]) == (0, 1, 2)
    assert (change["method"], change["start"]) == ("REQUEST", SESSION.starts_at + DAY)
    assert (cancellation["method"], cancellation["status"]) == ("CANCEL", "CANCELLED")
    assert cancellation["alarm"] is None
